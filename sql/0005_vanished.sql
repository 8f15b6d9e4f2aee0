-- Accounts that scan mode found missing for another reason than their deletion. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}vanished (
  user_id INT UNSIGNED NOT NULL COMMENT 'pk_i_id the account had',
  noticed_at DATETIME(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: accounts that went with an emptied or restored table; they are removed nowhere';
