-- A row put in here and taken back runs a trigger as the site's writes do. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}probe (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'of no meaning',
  user_id INT UNSIGNED NOT NULL COMMENT 'always 0',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: always empty; shows whether triggers may do what they have to do';
