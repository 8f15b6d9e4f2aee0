-- Nonces of signed requests, so that no copy of a request counts, whichever daemon of the site it comes to. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}nonce (
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'whose signature it was',
  nonce VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the signature',
  expires_at DATETIME(3) NOT NULL COMMENT 'UTC, when the signature is good no longer',
  PRIMARY KEY (peer, nonce),
  KEY expires_at (expires_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: signed requests that were taken lately; rows go when their signature has expired';

ALTER TABLE {p}peer
  ADD COLUMN signed_as VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'fingerprint of our key whose signature the peer took last; NULL: it took none';
