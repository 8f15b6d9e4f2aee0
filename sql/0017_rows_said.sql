-- Rows that a plugin peer said of an account, so that a request that is sent again later does nothing. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}seen
  ADD COLUMN rows_said VARCHAR(400) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'hashes of the last rows in calls of the peer and of their dates of change, newest first';
