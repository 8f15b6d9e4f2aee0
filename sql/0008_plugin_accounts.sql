-- Which account of a plugin peer an address stands for, and of which installation a feed cursor is. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}seen
  ADD COLUMN account_id BIGINT UNSIGNED NULL COMMENT 'pk_i_id at the peer of the account that has the address there; NULL: the peer never said it',
  ADD COLUMN user_uid BINARY(16) NULL COMMENT 'uid of the user here that this account is',
  ADD COLUMN replaced_id BIGINT UNSIGNED NULL COMMENT 'pk_i_id of the account that had the address there before',
  ADD COLUMN replaced_uid BINARY(16) NULL COMMENT 'uid of the user here that that one is; NULL: the same as of the present one',
  ADD COLUMN replaced_until DATETIME(3) NULL COMMENT 'UTC, until then a removal of the address by the peer is of the account before';

ALTER TABLE {p}peer
  ADD COLUMN cursor_of VARCHAR(191) NULL COMMENT 'protocol and installation that the feed cursor belongs to';
