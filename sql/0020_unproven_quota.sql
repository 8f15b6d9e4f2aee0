-- What waits for a proof is counted apart. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}parked ADD INDEX why (peer, code, bytes);
