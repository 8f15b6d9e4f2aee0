/** Rows about definitions of the site's tables that change while it is in use: types, keys, engines, names. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import type { Row } from './row.ts';
import type { Stage } from './stage.ts';

/** Registers somebody on the site itself, and waits until the other one has the account with all that came before it. */
async function arrives({ world, again }: Stage, name: string, website = ''): Promise<void> {
  const other = await again();
  await other.write(
    `INSERT INTO {user} (pk_i_id, dt_reg_date, s_name, s_username, s_password, s_email, s_website, b_active)
     SELECT MAX(pk_i_id) + 1, NOW(), ?, ?, LEFT(SHA2('x', 256), 40), ?, ?, 1 FROM {user}`,
    [name, name, `${name}@example.com`, website],
  );
  await other.close();
  const homes = world.site('homes').host;
  while ((await homes.user(`${name}@example.com`)) === undefined) await wait(50);
}

/** Ids on the other site, of the accounts that were there from the start. */
async function idsThere({ world }: Stage): Promise<string> {
  const rows = await world
    .site('homes')
    .host.select(`SELECT pk_i_id, s_email FROM {user} WHERE s_email NOT LIKE 'new%' ORDER BY pk_i_id LIMIT 20`);
  return JSON.stringify(rows);
}

/** What a person does who merges databases: both tables, in one transaction. */
async function renumber(root: Connection, by: number, from: number): Promise<void> {
  await root.query('SET SESSION foreign_key_checks = 0');
  await root.query('START TRANSACTION');
  const which = `BETWEEN ${from} AND ${from + 19}`;
  await root.query(`UPDATE oc_t_user SET pk_i_id = pk_i_id + (${by}) WHERE pk_i_id ${which}`);
  await root.query(
    `UPDATE oc_t_user_description SET fk_i_user_id = fk_i_user_id + (${by}) WHERE fk_i_user_id ${which}`,
  );
  await root.query('COMMIT');
}

/** Foreign keys stand in the way of MyISAM. */
async function toMyIsam({ root, visitors }: Stage): Promise<void> {
  const [keys] = await root.query(
    `SELECT CONSTRAINT_NAME AS name FROM information_schema.REFERENTIAL_CONSTRAINTS
     WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = 'oc_t_user_description'`,
  );
  for (const { name } of keys as { name: string }[]) {
    await root.query(`ALTER TABLE oc_t_user_description DROP FOREIGN KEY ${name}`);
  }
  await root.query('ALTER TABLE oc_t_user_description ENGINE = MyISAM');
  await visitors.some(20);
}

/** All tables of the site, those of the daemon too, at once; what is made under the old prefix later stays. */
async function renamePrefix(root: Connection, from: string, to: string): Promise<void> {
  const [rows] = await root.query(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'`,
  );
  const names = (rows as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith(from));
  const renamed = names.map((name) => `\`${name}\` TO \`${to}${name.slice(from.length)}\``);
  await root.query(`RENAME TABLE ${renamed.join(', ')}`);
}

/** What can happen to them. */
export const DEFINITIONS: readonly Row[] = [
  {
    name: 'values of the host cut by ALTER TABLE … MODIFY',
    async happen(stage) {
      const { root, visitors } = stage;
      await root.query(`UPDATE oc_t_user SET s_website = 'https://www.example.com/a-long-way' WHERE pk_i_id <= 20`);
      await arrives(stage, 'cut', 'https://www.example.com/a-long-way');
      await root.query(`SET SESSION sql_mode = ''`);
      await root.query('ALTER TABLE oc_t_user MODIFY s_website VARCHAR(18) NULL');
      await visitors.some(20);
    },
  },
  {
    name: 'descriptions of the host with SYSTEM VERSIONING',
    on: 'mariadb',
    async happen({ root, visitors }) {
      await root.query('ALTER TABLE oc_t_user_description ADD SYSTEM VERSIONING');
      await visitors.some(40);
    },
  },
  {
    name: 'primary keys of the host renumbered, and back again',
    small: true,
    async happen(stage) {
      const { root, visitors } = stage;
      const before = await idsThere(stage);
      await renumber(root, 100_000, 1);
      await visitors.some(20);
      await arrives(stage, 'between');
      await renumber(root, -100_000, 100_001);
      await visitors.some(20);
      await arrives(stage, 'after');
      if ((await idsThere(stage)) !== before) throw new Error('accounts of homes were made again');
    },
  },
  {
    name: 'prefix of the host changed by RENAME TABLE',
    async happen({ root, visitors, cars }) {
      await visitors.away(async () => {
        await renamePrefix(root, 'oc_', 'x_');
        cars.host.site.prefix = 'x_';
        return { prefix: 'x_' };
      });
      await visitors.some(20);
    },
    // Which of the two depends on whose table is missed first: one of Osclass, or one of ours.
    says: /HOST_TABLE_MISSING|HOST_CHANGED/,
    async repair({ cars, visitors }) {
      await cars.stop();
      await visitors.some(20);
      await cars.start({ config: { ...cars.config, database: { ...cars.config.database, tablePrefix: 'x_' } } });
    },
  },
  {
    name: 'AUTO_INCREMENT of the host dropped',
    impossible: 'Nobody can register, for the server gives no ids, with or without us.',
    impossibleErrors: /Duplicate entry '0' for key|Field 'pk_i_id' doesn't have a default value/,
    async happen({ root, visitors, world }) {
      await root.query('SET SESSION foreign_key_checks = 0');
      await root.query('ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL');
      await world.site('homes').host
        .write(`INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
        VALUES (NOW(), 'Waits', 'waits', LEFT(SHA2('x', 256), 40), 'waits@example.com', 1)`);
      await visitors.some(40);
    },
    says: /AUTO_INCREMENT/,
    repair: ({ root, visitors }) =>
      visitors.away(async () => {
        await root.query(`UPDATE oc_t_user JOIN (SELECT MAX(pk_i_id) + 1 AS next FROM oc_t_user) AS free
          SET pk_i_id = next WHERE pk_i_id = 0`);
        await root.query('ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL AUTO_INCREMENT');
        return { prefix: 'oc_' };
      }),
  },
  {
    name: 'descriptions of the host turned to MyISAM',
    on: 'mariadb',
    happen: toMyIsam,
  },
  {
    name: 'descriptions of the host turned to MyISAM',
    on: 'mysql',
    impossible:
      'MySQL with GTIDs refuses statements whose triggers write a table of another engine (1785), until the daemon has taken its triggers away: a few seconds.',
    impossibleErrors: /Statement violates GTID consistency/,
    impossibleForMs: 12_000,
    happen: toMyIsam,
    says: /TRIGGERS_BREAK_WRITES/,
    repair: ({ root }) => root.query('ALTER TABLE oc_t_user_description ENGINE = InnoDB'),
  },
];
