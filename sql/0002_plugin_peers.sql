-- What peers that run the PHP plugin are known to have. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}seen (
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name of the peer',
  address BINARY(16) NOT NULL COMMENT 'digest of the canonical e-mail by which the peer knows the user',
  hashes MEDIUMTEXT CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'JSON: of each column what the peer last said and last was sent; NULL: it has no such user',
  email VARCHAR(320) NULL COMMENT 'address of a removal the peer has not confirmed yet; else NULL',
  removal_id BIGINT UNSIGNED NULL COMMENT 'that removal',
  echo_until DATETIME(3) NULL COMMENT 'UTC, until then a removal of this address by the peer is only its answer to one that is known',
  changed_at DATETIME(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (peer, address),
  KEY removal (peer, removal_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: what peers that run the PHP plugin last said and were sent';
