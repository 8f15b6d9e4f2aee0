/** Rows about statements of the site: of many rows, of many tables, and those that wait for others. */
import { Readable } from 'node:stream';
import type { Row } from './row.ts';
import type { Stage } from './stage.ts';

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A line of LOAD DATA for each of the users. */
const lines = (names: readonly string[]): string =>
  names
    .map((name) => `2024-05-06 07:08:09,${name},${name.toLowerCase()},x,${name.toLowerCase()}@example.com,1\n`)
    .join('');

/** `LOAD DATA LOCAL INFILE`, on a server that is made to allow it for as long as that takes. */
async function loadData({ root, again }: Stage, how: '' | 'REPLACE', names: readonly string[]): Promise<void> {
  const [rows] = await root.query('SELECT @@GLOBAL.local_infile AS allowed');
  const [{ allowed } = { allowed: 0 }] = rows as { allowed: number | string }[];
  await root.query('SET GLOBAL local_infile = 1');
  const other = await again();
  try {
    await other.db.query({
      sql: `LOAD DATA LOCAL INFILE 'users.csv' ${how} INTO TABLE oc_t_user CHARACTER SET utf8mb4 FIELDS TERMINATED BY ','
        (dt_reg_date, s_name, s_username, s_password, s_email, b_active)`,
      infileStreamFactory: () => Readable.from([Buffer.from(lines(names))]),
    });
  } finally {
    await other.close();
    if (Number(allowed) === 0) await root.query('SET GLOBAL local_infile = 0');
  }
}

/** One statement, of a visitor of its own. */
const once =
  (statement: string, before = 'DO 0') =>
  async ({ again }: Stage): Promise<void> => {
    const other = await again();
    await other.write(before);
    await other.write(statement);
    await other.close();
  };

/** What the site may run. */
export const STATEMENTS: readonly Row[] = [
  {
    name: 'INSERT of many rows',
    happen: once(`INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
      VALUES (NOW(), 'A', 'aa', LEFT(SHA2('x', 256), 40), 'aa@example.com', 1), (NOW(), 'B', 'bb', LEFT(SHA2('x', 256), 40), 'bb@example.com', 1)`),
  },
  {
    name: 'INSERT … SELECT … ON DUPLICATE KEY UPDATE',
    happen: once(`INSERT INTO {user} (pk_i_id, dt_reg_date, s_name, s_username, s_password, s_email, b_active)
      SELECT pk_i_id, dt_reg_date, 'Upserted', s_username, s_password, s_email, b_active FROM {user} WHERE pk_i_id = 6
      ON DUPLICATE KEY UPDATE s_name = 'Upserted'`),
  },
  {
    name: 'UPDATE of many rows',
    happen: once(`UPDATE {user} SET s_website = CONCAT('https://many/', pk_i_id) WHERE pk_i_id <= 20`),
  },
  {
    name: 'UPDATE of two tables',
    small: true,
    happen: once(`UPDATE {user} u JOIN {user_description} d ON d.fk_i_user_id = u.pk_i_id
      SET u.s_name = CONCAT(u.s_name, '!'), d.s_info = 'Both' WHERE u.pk_i_id <= 5`),
  },
  {
    name: 'DELETE from two tables',
    happen: once(
      `DELETE u, d FROM {user} u JOIN {user_description} d ON d.fk_i_user_id = u.pk_i_id WHERE u.pk_i_id = 7`,
      // Servers choose which table comes first.
      'SET SESSION foreign_key_checks = 0',
    ),
  },
  {
    name: 'REPLACE',
    small: true,
    async happen({ again }) {
      const other = await again();
      await other.write('CREATE TEMPORARY TABLE c AS SELECT * FROM {user} WHERE pk_i_id IN (8, 9)');
      await other.write(`UPDATE c SET s_name = 'Replaced'`);
      // As a backup is played back: REPLACE deletes, and descriptions would go with it.
      await other.write('SET SESSION foreign_key_checks = 0');
      await other.write('REPLACE INTO {user} SELECT * FROM c');
      await other.close();
    },
  },
  { name: 'LOAD DATA LOCAL INFILE', happen: (stage) => loadData(stage, '', ['Loaded1', 'Loaded2', 'Loaded3']) },
  {
    name: 'LOAD DATA LOCAL INFILE … REPLACE of rows that exist',
    async happen(stage) {
      await loadData(stage, '', ['Loaded1', 'Loaded2']);
      await loadData(stage, 'REPLACE', ['Loaded2', 'Loaded3']);
    },
  },
  {
    name: 'deadlocks among visitors',
    async happen({ again }) {
      const [one, two] = [await again(), await again()];
      const register = async (name: string): Promise<number> => {
        const user = await one.write(
          `INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active) VALUES (NOW(), ?, ?, LEFT(SHA2('x', 256), 40), ?, 1)`,
          [name, name, `${name}@example.com`],
        );
        return user.id;
      };
      const [a, b] = [await register('left'), await register('right')];
      for (let round = 0; round < 5; round++) {
        await Promise.all([one.db.query('START TRANSACTION'), two.db.query('START TRANSACTION')]);
        await one.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', [`a${round}`, a]);
        await two.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', [`b${round}`, b]);
        // One of the two is the victim, as it would be without us.
        await Promise.allSettled([
          one.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', [`c${round}`, b]),
          two.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', [`d${round}`, a]),
        ]);
        await Promise.all([one.db.query('COMMIT'), two.db.query('COMMIT')]);
      }
      await one.close();
      await two.close();
    },
  },
  {
    name: 'lock waits among visitors, until one gives up',
    async happen({ again }) {
      const [one, two, three] = [await again(), await again(), await again()];
      const { id } =
        await one.write(`INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
        VALUES (NOW(), 'Wanted', 'wanted', LEFT(SHA2('x', 256), 40), 'wanted@example.com', 1)`);
      await one.db.query('START TRANSACTION');
      await one.write(`UPDATE {user} SET s_zip = 'first' WHERE pk_i_id = ?`, [id]);
      await two.write('SET SESSION innodb_lock_wait_timeout = 1');
      const gaveUp = two.write(`UPDATE {user} SET s_zip = 'never' WHERE pk_i_id = ?`, [id]);
      const patient = three.write(`UPDATE {user} SET s_zip = 'last' WHERE pk_i_id = ?`, [id]);
      const { errno } = (await gaveUp.then(
        () => ({}),
        (error: unknown) => error,
      )) as { errno?: number };
      if (errno !== 1205) throw new Error('the second did not wait');
      await one.db.query('COMMIT');
      await patient;
      await Promise.all([one, two, three].map((host) => host.close()));
    },
  },
  {
    name: 'row locked by a transaction while a peer changes it',
    small: true,
    async happen({ world, again }) {
      const other = await again();
      await other.write(`INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
        VALUES (NOW(), 'Locked', 'locked', LEFT(SHA2('x', 256), 40), 'locked@example.com', 1)`);
      const homes = world.site('homes').host;
      while ((await homes.user('locked@example.com')) === undefined) await wait(50);
      await other.db.query('START TRANSACTION');
      await other.write(`SELECT * FROM {user} WHERE s_email = 'locked@example.com' FOR UPDATE`);
      await homes.write(`UPDATE {user} SET s_zip = '28001' WHERE s_email = 'locked@example.com'`);
      await wait(3_000);
      await other.db.query('COMMIT');
      await other.close();
    },
  },
  {
    name: 'tables locked by LOCK TABLES for a second',
    impossible: 'Visitors wait for the lock of the host itself, with or without us.',
    async happen({ root }) {
      await root.query('LOCK TABLES oc_t_user WRITE, oc_t_user_description WRITE');
      await wait(1_000);
      await root.query('UNLOCK TABLES');
    },
  },
];
