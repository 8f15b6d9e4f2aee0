-- Until when a code for a new password may have been mailed to another address. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}user
  ADD COLUMN doubted_until DATETIME(3) NULL COMMENT 'UTC, a password set by mail until then proves nothing: its code may have been mailed to another address';

ALTER TABLE {p}queue
  MODIFY COLUMN op CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'I inserted, U updated, D deleted, E a change of address was asked for or ended, R a row that belongs to the user changed',
  MODIFY COLUMN old_email VARCHAR(320) NULL COMMENT 'op D: the address the user had; op U: likewise, if it changed';
