-- Whose users a feed brought: of the PHP plugin or of a daemon, and of which installation. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}peer
  ADD COLUMN fed_of VARCHAR(191) NULL COMMENT 'protocol and installation of the last feed that went from the start to its end; NULL: none did',
  ADD COLUMN installation VARCHAR(191) NULL COMMENT 'protocol and installation that a peer with a daemon last named';

-- Feeds of versions that noted neither: of the plugin, if it was remembered what it said.
UPDATE {p}peer
  SET fed_of = IF(EXISTS (SELECT 1 FROM {p}seen s WHERE s.peer = {p}peer.name), 'plugin', 'native')
  WHERE fed_of IS NULL AND cursor_of IS NULL AND last_user_id > 0;
