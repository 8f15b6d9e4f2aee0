-- Who proved the address of an account, and which registrations it was made of. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}user
  ADD COLUMN births TEXT CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'existence stamps of all registrations it was made of, see src/model/births.ts; NULL: that of the shadow',
  ADD COLUMN proof VARCHAR(80) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'digest of the address that was proved, time (ms) and site; empty: none; NULL: as at first sight',
  ADD COLUMN reset_code VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'digest of the s_pass_code last seen; empty: there was none; NULL: not looked at',
  ADD COLUMN held_until DATETIME(3) NULL COMMENT 'UTC, until then its change of address and its removal wait at the peers';

ALTER TABLE {p}tombstone
  ADD COLUMN births TEXT CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as in user; NULL: of a peer that does not tell them',
  ADD COLUMN held_until DATETIME(3) NULL COMMENT 'as in user';
