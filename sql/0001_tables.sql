-- The tables of account-sync. {p} is the table prefix of the site followed by account_sync_.
CREATE TABLE IF NOT EXISTS {p}migration (
  id INT UNSIGNED NOT NULL COMMENT 'number of the file in sql/',
  name VARCHAR(100) NOT NULL COMMENT 'name of the file in sql/',
  started_at DATETIME(3) NOT NULL COMMENT 'UTC',
  finished_at DATETIME(3) NULL COMMENT 'UTC; NULL while under way or after a crash',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: which schema changes were started and finished';

CREATE TABLE IF NOT EXISTS {p}queue (
  seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'names the marker; its order means nothing',
  user_id INT UNSIGNED NOT NULL COMMENT 'pk_i_id of the user that changed',
  op CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'I inserted, U updated, D deleted, R a row that belongs to the user changed',
  old_email VARCHAR(320) NULL COMMENT 'only op D: the address the user had',
  marked_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'when the statement ran',
  PRIMARY KEY (seq)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: markers written by the triggers, removed by the drain pass';

CREATE TABLE IF NOT EXISTS {p}user (
  user_id INT UNSIGNED NOT NULL COMMENT 'pk_i_id',
  uids VARBINARY(4080) NOT NULL COMMENT 'every uid of the user, 16 bytes each, the first is the main one',
  shadow MEDIUMBLOB NOT NULL COMMENT 'hash and stamp of each register, see src/model/shadow.ts',
  PRIMARY KEY (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: shadow, what was last seen of each user';

CREATE TABLE IF NOT EXISTS {p}uid (
  uid BINARY(16) NOT NULL COMMENT 'identity of a user across sites',
  user_id INT UNSIGNED NOT NULL COMMENT 'the user of this site that it names',
  PRIMARY KEY (uid)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: uid to user';

CREATE TABLE IF NOT EXISTS {p}tombstone (
  uid BINARY(16) NOT NULL COMMENT 'a uid of a removed user',
  removal BINARY(16) NOT NULL COMMENT 'main uid of the removed user: rows of one removal share it',
  removal_id BIGINT UNSIGNED NOT NULL COMMENT 'names the removal in the outbox',
  email_hash BINARY(32) NULL COMMENT 'HMAC-SHA-256 of the canonical e-mail, keyed by the main uid',
  stamp VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'when and where the user was removed',
  created_at DATETIME(3) NOT NULL COMMENT 'UTC, when this site learned of it',
  PRIMARY KEY (uid),
  KEY removal (removal_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: what remains of removed users';

CREATE TABLE IF NOT EXISTS {p}outbox (
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name of the peer',
  kind CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'u a user, r a removal',
  ref BIGINT UNSIGNED NOT NULL COMMENT 'user_id, or removal_id of the tombstone',
  generation INT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'rises with each change while the entry waits',
  state CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'w' COMMENT 'w waiting, h held by the guard, p parked',
  changed_at DATETIME(3) NOT NULL COMMENT 'UTC, oldest change not yet confirmed',
  due_at DATETIME(3) NOT NULL COMMENT 'UTC, not sent before',
  attempts INT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'deliveries that failed for this entry',
  guarded TINYINT NULL COMMENT '1: a removal or disabling, which the guard counts',
  code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'why it waits, a code of the registry',
  message VARCHAR(255) NULL COMMENT 'why it waits, in words',
  PRIMARY KEY (peer, kind, ref),
  KEY due (peer, state, due_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: users still to be sent, one entry per peer and user';

CREATE TABLE IF NOT EXISTS {p}peer (
  name VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name in the config',
  last_user_id BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'feed cursor: highest id taken from the peer',
  synced_from DATETIME(3) NULL COMMENT 'UTC, last time its data was stored here',
  synced_to DATETIME(3) NULL COMMENT 'UTC, last time it confirmed data of ours',
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the last call: HTTP code, OK or ERR',
  message VARCHAR(500) NULL COMMENT 'of the last call',
  called_at DATETIME(3) NULL COMMENT 'UTC, last call',
  failing_since DATETIME(3) NULL COMMENT 'UTC, first failure since the last success',
  feed_message VARCHAR(255) NULL COMMENT 'progress of the last feed',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: what is known of each peer';

CREATE TABLE IF NOT EXISTS {p}log (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'rising number',
  type VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'FEED, STREAM or PROCESS',
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'name in the config; NULL for an unknown caller',
  key_digest CHAR(8) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'start of the SHA-256 of the key that was used',
  ip VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'of the other end',
  date DATETIME(3) NOT NULL COMMENT 'UTC',
  status VARCHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'HTTP code, OK or ERR',
  response VARCHAR(1000) NOT NULL COMMENT 'what the other end said, or what was done',
  content MEDIUMTEXT NOT NULL COMMENT 'JSON of what the action was about, masked',
  trace VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'same id at both ends of one exchange',
  PRIMARY KEY (id),
  KEY type_id (type, id),
  KEY peer_id (peer, id),
  KEY status_id (status, id),
  KEY date_id (date, id),
  KEY trace (trace)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci COMMENT='account-sync: log records for administrators';

CREATE TABLE IF NOT EXISTS {p}parked (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'names it in commands',
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'who sent the record',
  uid BINARY(16) NOT NULL COMMENT 'main uid of the record',
  user_id INT UNSIGNED NULL COMMENT 'the user of this site it concerns, if there is one',
  code VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'why, a code of the registry',
  message VARCHAR(500) NOT NULL COMMENT 'why, in words',
  record MEDIUMBLOB NOT NULL COMMENT 'the record as it came (JSON)',
  created_at DATETIME(3) NOT NULL COMMENT 'UTC',
  tried_at DATETIME(3) NOT NULL COMMENT 'UTC, last try',
  attempts INT UNSIGNED NOT NULL DEFAULT 1 COMMENT 'tries so far',
  PRIMARY KEY (id),
  UNIQUE KEY peer_uid (peer, uid),
  KEY user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: incoming records that wait for a person';

CREATE TABLE IF NOT EXISTS {p}lease (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'kind of work',
  holder VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'which daemon does it',
  expires_at DATETIME(3) NOT NULL COMMENT 'UTC by the clock of the database',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: one worker at a time';

CREATE TABLE IF NOT EXISTS {p}guard (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'rising number',
  peer VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'name of the peer',
  direction CHAR(1) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'i came from the peer, o went to it',
  happened_at DATETIME(3) NOT NULL COMMENT 'UTC',
  PRIMARY KEY (id),
  KEY recent (peer, direction, happened_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: removals and disablings that were let through lately';

CREATE TABLE IF NOT EXISTS {p}hidden (
  item_id INT UNSIGNED NOT NULL COMMENT 'pk_i_id of a listing',
  user_id INT UNSIGNED NOT NULL COMMENT 'its owner',
  PRIMARY KEY (item_id),
  KEY user_id (user_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: listings hidden because their owner was blocked elsewhere';

CREATE TABLE IF NOT EXISTS {p}leftover (
  item_id INT UNSIGNED NOT NULL COMMENT 'pk_i_id of a listing that was removed with its owner',
  PRIMARY KEY (item_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: listings whose description, in a table without transactions, still has to be deleted';

CREATE TABLE IF NOT EXISTS {p}state (
  name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'what',
  value VARCHAR(500) NOT NULL COMMENT 'its value',
  PRIMARY KEY (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin COMMENT='account-sync: progress of the baseline and other single values';
