-- How many records were exchanged with each peer. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}peer
  ADD COLUMN received_total BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'records of users and removals taken from the peer, since this column is there',
  ADD COLUMN sent_total BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'records it confirmed, or was given in a feed';
