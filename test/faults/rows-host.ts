/** Rows about what happens to the site's own tables, and to the way to its server. */
import type { World } from '../support/world.ts';
import type { Row } from './row.ts';

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

async function emailsOf(world: World): Promise<string[]> {
  const rows = await world.site('homes').host.select('SELECT s_email FROM {user}');
  return rows.map(({ s_email }) => String(s_email));
}

/** What can happen to them. */
export const HOST: readonly Row[] = [
  {
    name: 'column of the host dropped',
    small: true,
    happen: ({ root }) => root.query('ALTER TABLE oc_t_user DROP COLUMN s_phone_land'),
    repair: ({ root }) => root.query('ALTER TABLE oc_t_user ADD COLUMN s_phone_land VARCHAR(45) NULL AFTER s_website'),
    mayDiffer: true,
  },
  {
    name: 'column of the host renamed',
    happen: ({ root }) => root.query('ALTER TABLE oc_t_user CHANGE s_phone_land s_phone_away VARCHAR(45) NULL'),
    repair: ({ root }) => root.query('ALTER TABLE oc_t_user CHANGE s_phone_away s_phone_land VARCHAR(45) NULL'),
  },
  {
    name: 'column added by a plugin',
    happen: ({ root }) => root.query('ALTER TABLE oc_t_user ADD COLUMN s_whatsapp VARCHAR(20) NOT NULL'),
  },
  {
    name: 'table of the host altered by copy',
    happen: ({ root }) => root.query('ALTER TABLE oc_t_user ADD INDEX idx_zip (s_zip), ALGORITHM=COPY'),
  },
  {
    name: 'table of the host replaced by a copy without triggers',
    async happen({ root }) {
      await root.query('SET foreign_key_checks = 0');
      await root.query('LOCK TABLES oc_t_user WRITE');
      await root.query('CREATE TABLE oc_t_user_new LIKE oc_t_user').catch(() => undefined);
      await root.query('UNLOCK TABLES');
      await root.query('CREATE TABLE IF NOT EXISTS oc_t_user_new LIKE oc_t_user');
      await root.query('INSERT IGNORE INTO oc_t_user_new SELECT * FROM oc_t_user');
      await root.query('RENAME TABLE oc_t_user TO oc_t_user_old, oc_t_user_new TO oc_t_user');
    },
    says: /triggers were missing; made again/,
    mayDiffer: true,
  },
  {
    name: 'table of the host restored from a dump without triggers',
    async happen({ root }) {
      await root.query('SET foreign_key_checks = 0');
      // On MySQL it would go on pointing to the table that is dropped.
      await root.query('ALTER TABLE oc_t_user_description DROP FOREIGN KEY oc_t_user_description_ibfk_1');
      await root.query('CREATE TABLE dump LIKE oc_t_user');
      await root.query('INSERT INTO dump SELECT * FROM oc_t_user');
      await root.query('RENAME TABLE oc_t_user TO gone, dump TO oc_t_user');
      await root.query('DROP TABLE gone');
    },
    says: /triggers were missing; made again/,
    mayDiffer: true,
  },
  {
    name: 'table of the host emptied by TRUNCATE',
    async happen({ root, world }) {
      await root.query('SET foreign_key_checks = 0');
      await root.query('CREATE TABLE kept (s_email VARCHAR(100) NOT NULL)');
      await root.query('LOCK TABLES oc_t_user WRITE, oc_t_user_description WRITE, kept WRITE');
      await root.query('INSERT INTO kept SELECT s_email FROM oc_t_user');
      await root.query('TRUNCATE oc_t_user');
      await root.query('TRUNCATE oc_t_user_description');
      await root.query('UNLOCK TABLES');
      // Whoever had not arrived there yet went with the table.
      const there = new Set(await emailsOf(world));
      const [kept] = await root.query('SELECT s_email FROM kept');
      await root.query('DELETE FROM kept');
      for (const { s_email } of kept as { s_email: string }[]) {
        if (there.has(s_email)) await root.query('INSERT INTO kept VALUES (?)', [s_email]);
      }
    },
    says: /accounts are gone though nobody deleted them/,
    async repair({ root, world }) {
      // Who registers now arrives after all that came of it.
      await root.query(`INSERT INTO oc_t_user (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
        VALUES (NOW(), 'Last', 'last', LEFT(SHA2('x', 256), 40), 'last@example.com', 1)`);
      const homes = world.site('homes').host;
      while ((await homes.user('last@example.com')) === undefined) await wait(50);
      const there = new Set(await emailsOf(world));
      const [kept] = await root.query('SELECT s_email FROM kept');
      const lost = (kept as { s_email: string }[]).filter(({ s_email }) => !there.has(s_email));
      if (lost.length > 0) throw new Error(`cars was emptied, and homes lost ${lost.length} accounts`);
      const { status } = await world.site('cars').admin('POST', '/v1/peers/homes/feed', { restart: true });
      if (status >= 300) throw new Error(`the feed was refused: ${status}`);
    },
  },
  {
    name: 'table of the host rebuilt by OPTIMIZE TABLE',
    happen: ({ root }) => root.query('OPTIMIZE TABLE oc_t_user'),
  },
  {
    name: 'server away from the daemon for three seconds',
    async happen({ proxy }) {
      proxy.become('shut');
      await wait(3_000);
      proxy.become('open');
    },
    says: /DB_UNAVAILABLE|ECONNRE\w+|PROTOCOL_CONNECTION_LOST/,
  },
  {
    name: 'server that takes connections and does not answer',
    async happen({ proxy }) {
      proxy.become('stalled');
      await wait(3_000);
    },
    says: /"down"/,
    repair: async ({ proxy }) => proxy.become('open'),
  },
];
