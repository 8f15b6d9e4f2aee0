-- Places in addresses from peers that this site does not know. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}unknown_place (
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name of the peer',
  place VARCHAR(180) NOT NULL COMMENT 'kind and name: the city Springfield',
  addresses BIGINT UNSIGNED NOT NULL COMMENT 'addresses with it that came',
  first_at DATETIME(3) NOT NULL COMMENT 'UTC, when it was reported',
  last_at DATETIME(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (peer, place)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: places of peers that the site does not know';
