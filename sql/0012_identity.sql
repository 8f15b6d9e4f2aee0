-- Which server, database and site address each daemon of this site last worked with. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}identity (
  process CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'random id of the process that wrote this row',
  site VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'site.name of its config',
  url VARCHAR(2048) NOT NULL COMMENT 'site.url of its config',
  api_key CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'begin of the digest of site.api_key',
  database_name VARCHAR(64) NOT NULL COMMENT 'this database, as it was called',
  server VARCHAR(512) NOT NULL COMMENT 'what tells the server, or its cluster, from all others',
  server_id VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT '@@server_id',
  table_made VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'when this table was made, as the server says; empty: it does not',
  beat INT UNSIGNED NOT NULL COMMENT 'counts how often the process wrote this row',
  seen_at DATETIME(3) NOT NULL COMMENT 'UTC, when it last did',
  PRIMARY KEY (process)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: where this database was when its daemons last worked; a copy is known by it';
