-- Every filter of the log is answered from one index. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}log
  DROP INDEX type_id,
  DROP INDEX peer_id,
  DROP INDEX status_id,
  ADD INDEX kind_date (type, status, peer, date, id);
