-- Whether the account of an address at a plugin peer is known to be that of here. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}seen
  ADD COLUMN met TINYINT(1) NOT NULL DEFAULT 0 COMMENT '1: a row of the peer was applied to the user here, or showed the same password; that the peer was told of the user is no meeting';

-- What was exchanged before proofs were asked for counts.
UPDATE {p}seen SET met = 1 WHERE hashes IS NOT NULL AND hashes NOT LIKE '-%';
