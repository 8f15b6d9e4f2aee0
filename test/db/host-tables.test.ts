import { describe, expect, it } from 'vitest';
import { checkHost } from '../../src/admin/check/database.ts';
import { giveUpParts } from '../../src/capture/watched-parts.ts';
import { newUserDefaults } from '../../src/osclass/defaults.ts';
import { insertUsers } from '../../src/osclass/write-users.ts';
import { readServerFacts } from '../../src/db/server-facts.ts';
import { capturedSite, type CapturedOptions, type CapturedSite } from '../support/captured-site.ts';

/** Twenty users with descriptions, all of which peers know. */
async function settled(options: CapturedOptions = {}): Promise<CapturedSite> {
  const cars = await capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
    ...options,
  });
  await cars.site.refresh();
  return cars;
}

/** What an idle daemon does every so often: looks, compares if it has to, drains. */
async function idle(cars: CapturedSite): Promise<void> {
  await cars.site.refresh();
  await cars.scanAll();
  await cars.drainAll();
}

const isMariaDb = async ({ site }: CapturedSite): Promise<boolean> =>
  (await readServerFacts(site.db)).kind === 'mariadb';

/** What `check` says of the tables of Osclass. */
const findings = async (cars: CapturedSite) =>
  (await checkHost(cars.site)).filter((finding) => finding.check === 'tables of Osclass');

describe('T7: statements that change what is stored and fire no trigger', () => {
  const cut = 'ALTER TABLE oc_t_user MODIFY s_website VARCHAR(18) NULL';
  const long = "UPDATE oc_t_user SET s_website = 'https://www.example.com/a-long-way' WHERE pk_i_id IN (3, 4)";

  it.each([
    ['MODIFY cuts values', [long], [cut], [3, 4]],
    [
      'CHANGE, renamed for a moment',
      [long],
      [
        'ALTER TABLE oc_t_user CHANGE s_website s_web VARCHAR(18) NULL',
        'ALTER TABLE oc_t_user CHANGE s_web s_website VARCHAR(18) NULL',
      ],
      [3, 4],
    ],
    [
      'CONVERT TO CHARACTER SET makes question marks',
      ["UPDATE oc_t_user SET s_name = 'Łukasz' WHERE pk_i_id = 5"],
      [
        'ALTER TABLE oc_t_user DROP FOREIGN KEY oc_t_user_ibfk_1',
        'ALTER TABLE oc_t_user MODIFY s_name VARCHAR(100) CHARACTER SET latin1 NOT NULL',
      ],
      [5],
    ],
    [
      'DROP and ADD COLUMN empties one',
      ["UPDATE oc_t_user SET s_phone_land = '12' WHERE pk_i_id = 6"],
      [
        'ALTER TABLE oc_t_user DROP COLUMN s_phone_land, ADD COLUMN s_phone_other INT',
        'ALTER TABLE oc_t_user ADD COLUMN s_phone_land VARCHAR(45) NULL DEFAULT NULL',
      ],
      [],
    ],
    [
      'MODIFY of the descriptions',
      ["UPDATE oc_t_user_description SET s_info = REPEAT('x', 300) WHERE fk_i_user_id = 7"],
      ['ALTER TABLE oc_t_user_description MODIFY s_info VARCHAR(20) NULL'],
      [7],
    ],
  ])('%s: all users are compared, and what changed goes out', async (_, before, statements, users) => {
    const cars = await settled();
    const { database } = cars;
    for (const statement of before) await database.query(statement);
    await database.query("UPDATE oc_t_user_description SET s_info = 'short' WHERE fk_i_user_id <> 7");
    await idle(cars);
    await cars.deliverAll();
    const stored = () =>
      database.query<{ id: number; held: string }>(
        `SELECT u.pk_i_id AS id, CONCAT_WS('|', s_name, s_website, s_phone_land, GROUP_CONCAT(s_info)) AS held
         FROM oc_t_user u LEFT JOIN oc_t_user_description ON fk_i_user_id = pk_i_id GROUP BY u.pk_i_id ORDER BY 1`,
      );
    const was = await stored();
    await database.query("SET SESSION sql_mode = ''");
    await database.query('SET SESSION foreign_key_checks = 0');
    for (const statement of statements)
      await database.query(statement).catch((error: unknown) => {
        if (!/DROP FOREIGN KEY/.test(statement)) throw error;
      });
    await idle(cars);
    const is = await stored();
    const others = is.filter(({ held }, at) => held !== was[at]?.held).map(({ id }) => id);
    expect(others).toEqual(expect.arrayContaining(users));
    expect(await cars.outbox()).toEqual(others.map((id) => `homes user ${id}`));
  });

  it('TRUNCATE of the descriptions: the texts are gone, and the accounts are not', async () => {
    const cars = await settled();
    const rows = await cars.database.query<{ id: number }>(
      'SELECT DISTINCT fk_i_user_id AS id FROM oc_t_user_description WHERE s_info IS NOT NULL',
    );
    await cars.database.query('TRUNCATE oc_t_user_description');
    await idle(cars);
    expect(rows.length).toBeGreaterThan(0);
    expect(await cars.outbox()).toHaveLength(rows.length);
    expect(await cars.tombstones()).toEqual([]);
  });

  it('a change that stores nothing else lets all be compared, and sends nothing', async () => {
    const cars = await settled();
    await cars.database.query('ALTER TABLE oc_t_user ADD INDEX idx_zip (s_zip)');
    await cars.database.query('OPTIMIZE TABLE oc_t_user');
    await idle(cars);
    expect(await cars.outbox()).toEqual([]);
    await cars.site.refresh();
    expect(await cars.site.isScanPending()).toBe(false);
  });

  it('an UPDATE of several tables fires triggers', async () => {
    const cars = await settled();
    await cars.database.query(`UPDATE oc_t_user u LEFT JOIN oc_t_user_description d ON d.fk_i_user_id = u.pk_i_id
      SET u.s_name = 'Joined', d.s_info = 'Joined' WHERE u.pk_i_id = 3`);
    expect((await cars.markers()).map(({ userId, op }) => `${op} ${userId}`)).toEqual(expect.arrayContaining(['U 3']));
  });
});

describe('a table or column that was synchronised and is not there', () => {
  it('a table whose history MariaDB keeps is there', async () => {
    const cars = await settled();
    if (!(await isMariaDb(cars))) return;
    await cars.database.query('ALTER TABLE oc_t_user_description ADD SYSTEM VERSIONING');
    await idle(cars);
    expect(cars.site.problems().missing).toEqual([]);
    expect(cars.site.snapshot().hosts.describes).toBe(true);
    await cars.database.query(
      "INSERT INTO oc_t_user_description VALUES (3, 'en_US', 'New') ON DUPLICATE KEY UPDATE s_info = 'New'",
    );
    await cars.drainAll();
    expect(await cars.outbox()).toEqual(['homes user 3']);
    expect(cars.site.snapshot().catalog.table('t_user_description')?.column('row_start')).toBeUndefined();
  });

  it.each([
    ['renamed away', 'RENAME TABLE oc_t_user_description TO away', 'RENAME TABLE away TO oc_t_user_description'],
    [
      'replaced by a view',
      'RENAME TABLE oc_t_user_description TO away; CREATE VIEW oc_t_user_description AS SELECT * FROM away',
      'DROP VIEW oc_t_user_description; RENAME TABLE away TO oc_t_user_description',
    ],
  ])('descriptions that are %s: an alarm, and no text is taken for deleted', async (_, away, back) => {
    const cars = await settled();
    for (const statement of away.split('; ')) await cars.database.query(statement);
    await cars.host.write("UPDATE {user} SET s_name = 'Meanwhile' WHERE pk_i_id = 3");
    await idle(cars);
    expect(cars.site.problems().missing).toEqual(['table t_user_description']);
    expect(await findings(cars)).toMatchObject([
      { result: 'fail', message: expect.stringContaining('t_user_description') },
    ]);
    expect(await cars.outbox()).toEqual(['homes user 3']);
    await cars.deliverAll();
    for (const statement of back.split('; ')) await cars.database.query(statement);
    await idle(cars);
    expect(await cars.outbox()).toEqual([]);
    expect(cars.site.problems().missing).toEqual([]);
  });

  it('a column that is gone is told, until a person gives it up', async () => {
    const cars = await settled();
    await cars.database.query('ALTER TABLE oc_t_user DROP COLUMN s_phone_land');
    await idle(cars);
    expect(cars.site.problems().missing).toEqual(['column s_phone_land']);
    await giveUpParts(cars.site.db, cars.site.problems().missing);
    await idle(cars);
    expect(cars.site.problems().missing).toEqual([]);
  });

  it('an invisible column is there', async () => {
    const cars = await settled();
    await cars.database.query('ALTER TABLE oc_t_user MODIFY s_phone_land VARCHAR(45) NULL INVISIBLE');
    await idle(cars);
    expect(cars.site.problems().missing).toEqual([]);
    await cars.database.query("UPDATE oc_t_user SET s_phone_land = '99' WHERE pk_i_id = 3");
    await cars.drainAll();
    expect(await cars.outbox()).toEqual(['homes user 3']);
  });

  it('a related table that is gone is told by its name in the config', async () => {
    const extra = 'related_tables: [{ table: t_profile, key: fk_i_user_id, as: profile, columns: [s_motto] }]';
    const cars = await settled({
      extra,
      prepare: (database) =>
        database.query('CREATE TABLE oc_t_profile (fk_i_user_id INT UNSIGNED PRIMARY KEY, s_motto VARCHAR(40) NULL)'),
    });
    await cars.database.query('DROP TABLE oc_t_profile');
    await idle(cars);
    expect(cars.site.problems().missing).toEqual(['related table profile']);
  });
});

describe('what the daemon relies on in the tables of users', () => {
  it.each([
    ['no AUTO_INCREMENT', 'ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL', 'AUTO_INCREMENT'],
    [
      'no AUTO_INCREMENT, and a default',
      'ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL DEFAULT 0',
      'AUTO_INCREMENT',
    ],
    ['no primary key', 'ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL, DROP PRIMARY KEY', 'primary key'],
    [
      'a primary key of two columns',
      'ALTER TABLE oc_t_user DROP PRIMARY KEY, ADD PRIMARY KEY (pk_i_id, s_email)',
      'primary key',
    ],
    ['addresses that are not unique', 'ALTER TABLE oc_t_user DROP INDEX s_email', 's_email'],
  ])('%s: install refuses and says what to run, and check does too', async (_, change, says) => {
    const cars = await capturedSite({
      install: false,
      prepare: async (database) => {
        // As in an import that comes to its keys last.
        const keys = await database.query<{ tab: string; name: string }>(
          `SELECT TABLE_NAME AS tab, CONSTRAINT_NAME AS name FROM information_schema.REFERENTIAL_CONSTRAINTS
           WHERE CONSTRAINT_SCHEMA = ? AND REFERENCED_TABLE_NAME = 'oc_t_user'`,
          [database.name],
        );
        for (const { tab, name } of keys) await database.query(`ALTER TABLE ${tab} DROP FOREIGN KEY ${name}`);
        await database.query(change);
      },
    });
    await expect(cars.install()).rejects.toMatchObject({
      code: 'HOST_TABLE_UNFIT',
      message: expect.stringContaining(says),
    });
    expect(await cars.database.query("SHOW TABLES LIKE 'oc_account_sync%'")).toEqual([]);
    const [finding] = await findings(cars);
    expect(finding).toMatchObject({ result: 'fail', remedy: expect.stringMatching(/^ALTER TABLE oc_t_user /) });
  });

  it('a table without transactions, and texts that may be there twice, are warned of', async () => {
    const cars = await settled();
    await cars.database.query(
      'ALTER TABLE oc_t_user_description DROP FOREIGN KEY oc_t_user_description_ibfk_1, DROP FOREIGN KEY oc_t_user_description_ibfk_2',
    );
    await cars.database.query('ALTER TABLE oc_t_user_description DROP PRIMARY KEY, ENGINE=MyISAM');
    await cars.site.refresh();
    expect(await findings(cars)).toMatchObject([{ result: 'warn' }, { result: 'warn' }]);
  });
});

describe('a new account where the server gives no ids', () => {
  it('is refused before a row with the id 0 is written', async () => {
    const cars = await settled();
    await cars.database.query('SET SESSION foreign_key_checks = 0');
    await cars.database.query('ALTER TABLE oc_t_user MODIFY pk_i_id INT UNSIGNED NOT NULL DEFAULT 0');
    await cars.site.refresh();
    const table = cars.site.snapshot().catalog.requireTable('t_user');
    const email = table.column('s_email');
    if (email === undefined) throw new Error('no s_email');
    const writes = newUserDefaults(table, new Map([[email, 'new@example.com']]), (size) => new Uint8Array(size));
    expect([...writes.keys()].map(({ name }) => name)).not.toContain('pk_i_id');
    await expect(insertUsers(cars.site.db, table, [writes])).rejects.toMatchObject({ code: 'HOST_TABLE_UNFIT' });
    expect(await cars.database.query('SELECT 1 FROM oc_t_user WHERE pk_i_id = 0')).toEqual([]);
  });

  it('a related table whose own key nobody gives is left out, and told', async () => {
    const cars = await settled({
      extra: 'related_tables: [{ table: t_profile, key: fk_i_user_id, as: profile, columns: [s_motto] }]',
      prepare: (database) =>
        database.query(
          'CREATE TABLE oc_t_profile (pk_i_id INT NOT NULL PRIMARY KEY, fk_i_user_id INT UNSIGNED UNIQUE, s_motto VARCHAR(40))',
        ),
    });
    expect(cars.site.snapshot().hosts.related).toEqual([]);
    const said = (await checkHost(cars.site)).filter(({ check }) => check === 'related tables');
    expect(said).toMatchObject([{ result: 'warn', message: expect.stringContaining('t_profile') }]);
  });
});
