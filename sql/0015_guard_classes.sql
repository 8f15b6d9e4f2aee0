-- The guard counts by class, and holds single registers. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}guard
  ADD COLUMN class VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'removals' COMMENT 'removals, credentials, revivals or creations',
  ADD COLUMN weight INT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'how much it counts; 0: a person let it through',
  ADD COLUMN user_id INT UNSIGNED NULL COMMENT 'the account that was made, or is gone; 0: its id is not known',
  ADD INDEX counted (class, direction, happened_at),
  ADD INDEX created (user_id);

ALTER TABLE {p}outbox
  MODIFY COLUMN guarded TINYINT NULL COMMENT 'what the guard counts, bits: 1 removed or disabled, 2 password, 4 address, 8 revived, 16 created',
  ADD COLUMN passed TINYINT NOT NULL DEFAULT 0 COMMENT 'those of the bits that the guard let through',
  ADD COLUMN held TINYINT NOT NULL DEFAULT 0 COMMENT 'those of the bits that wait for approval';

UPDATE {p}outbox SET held = 1 WHERE state = 'h' AND held = 0;

ALTER TABLE {p}parked
  ADD COLUMN held TINYINT NOT NULL DEFAULT 0 COMMENT 'what of it the guard holds, bits as in outbox.guarded',
  ADD COLUMN bytes INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'length of the record',
  ADD INDEX of_peer (peer, held, bytes);

UPDATE {p}parked SET held = IF(code = 'GUARD_HELD', 1, 0), bytes = LENGTH(record) WHERE bytes = 0;
