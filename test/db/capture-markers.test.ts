import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createTriggerSql } from '../../src/capture/trigger-sql.ts';
import { requiredTriggers } from '../../src/capture/triggers.ts';
import { ownName } from '../../src/db/own-tables.ts';
import { asDaemon, inTransaction } from '../../src/db/transaction.ts';
import { capturedSite } from '../support/captured-site.ts';
import { createAccount } from '../support/database.ts';
import type { Host } from '../support/osclass/host.ts';
import { OWN } from '../support/own-tables.ts';

/** What a person does, one after the other; fails where Osclass would. */
async function liveAndDie(host: Host): Promise<void> {
  const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hi' } });
  await host.person.editProfile(ana, { name: 'Ana M.', info: { en_US: 'Hello' } });
  expect(await host.user(ana)).toMatchObject({ s_name: 'Ana M.' });
  await host.person.deleteAccount(ana);
  expect(await host.user(ana)).toBeUndefined();
}

describe('invariant 1: a change is marked in the transaction of the host', () => {
  it('leaves no marker of what is rolled back, and one of what is committed', async () => {
    const { host, site, markers, drainAll, outbox } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await host.db.query('START TRANSACTION');
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana M.', ana]);
    await host.db.query('ROLLBACK');
    expect(await markers()).toEqual([]);
    await host.db.query('START TRANSACTION');
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana M.', ana]);
    expect(await markers()).toEqual([]);
    await host.db.query('COMMIT');
    expect(await markers()).toMatchObject([{ userId: ana, op: 'U', oldEmail: null }]);
    expect((await site.drain()).changed).toEqual([ana]);
    expect(await outbox()).toEqual([`homes user ${ana}`, `jobs user ${ana}`]);
  });

  it('S3: loses no transaction that stays open over many drain passes and commits below markers long gone', async () => {
    const { host, drainAll, markers, outbox, deliverAll } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    const bob = await host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await drainAll();
    await deliverAll();
    const slow = await host.again();
    await slow.db.query('START TRANSACTION');
    await slow.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana M.', ana]);
    const later: string[] = [];
    for (const name of ['Bo', 'Bobby', 'Robert']) {
      await host.person.editProfile(bob, { name });
      later.push(...(await markers()).map((marker) => marker.seq));
      expect(await drainAll()).toEqual([bob]);
    }
    await deliverAll();
    await slow.db.query('COMMIT');
    await slow.close();
    const [marker] = await markers();
    expect(Number(marker?.seq)).toBeLessThan(Math.min(...later.map(Number)));
    expect(await drainAll()).toEqual([ana]);
    expect(await outbox()).toEqual([`homes user ${ana}`, `jobs user ${ana}`]);
  });

  it('marks descriptions of each language, and the account once for all of them', async () => {
    const { host, drainAll, markers, stored } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hi' } });
    expect((await markers()).map(({ op, userId }) => `${op} ${userId}`)).toEqual([`I ${ana}`, `U ${ana}`, `R ${ana}`]);
    await drainAll();
    const insertion = 'INSERT INTO {user_description} (fk_i_user_id, fk_c_locale_code, s_info) VALUES (?, ?, ?)';
    const hash = async (locale: string): Promise<string | undefined> =>
      (await stored(ana)).shadow.registers.get(`user_description:${locale}`)?.hash;
    const absent = await hash('es_ES');
    expect(absent).toBeUndefined();
    await host.write(insertion, [ana, 'es_ES', 'Hola']);
    expect(await drainAll()).toEqual([ana]);
    const hola = await hash('es_ES');
    await host.write('UPDATE {user_description} SET s_info = ? WHERE fk_c_locale_code = ?', ['Buenas', 'es_ES']);
    expect(await drainAll()).toEqual([ana]);
    expect(await hash('es_ES')).not.toBe(hola);
    const english = await hash('en_US');
    await host.write('DELETE FROM {user_description} WHERE fk_c_locale_code = ?', ['es_ES']);
    expect(await drainAll()).toEqual([ana]);
    expect(await hash('es_ES')).not.toBe(hola);
    expect(await hash('en_US')).toBe(english);
    const none = await hash('es_ES');
    await host.write(insertion, [ana, 'es_ES', null]);
    // A row of NULLs is a row: the other sites get it too.
    expect(await drainAll()).toEqual([ana]);
    expect(await hash('es_ES')).not.toBe(none);
  });
});

describe('a trigger', () => {
  it('T1: is one INSERT that names the key, and on delete the address; nothing else of the host', async () => {
    const { database } = await capturedSite();
    const triggers = await database.query<{ name: string; tab: string; body: string; mode: string; charset: string }>(
      `SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tab, ACTION_STATEMENT AS body, SQL_MODE AS mode,
         CHARACTER_SET_CLIENT AS charset, DEFINER AS definer, ACTION_TIMING AS timing
       FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY TRIGGER_NAME`,
      [database.name],
    );
    expect(triggers.map((trigger) => trigger.name)).toEqual([
      'oc_account_sync_description_ad_1',
      'oc_account_sync_description_ai_1',
      'oc_account_sync_description_au_1',
      'oc_account_sync_email_ad_1',
      'oc_account_sync_email_ai_1',
      'oc_account_sync_email_au_1',
      'oc_account_sync_probe_ai_1',
      'oc_account_sync_user_ad_1',
      'oc_account_sync_user_ai_1',
      'oc_account_sync_user_au_1',
    ]);
    for (const { body, tab } of triggers) {
      expect(body.match(/\bINSERT\b/g)).toHaveLength(1);
      expect(body).toMatch(/DECLARE CONTINUE HANDLER FOR SQLEXCEPTION/);
      expect(body).not.toMatch(/\b(?:SELECT|UPDATE|DELETE|JSON|CALL|SET)\b|[a-z]\(/i);
      const columns = [...body.matchAll(/(?:NEW|OLD)\.`([^`]+)`/g)].map(([, column]) => column);
      const keys: Record<string, string> = { oc_t_user: 'pk_i_id', oc_account_sync_probe: 'user_id' };
      const key = keys[tab] ?? 'fk_i_user_id';
      expect(new Set(columns.filter((column) => column !== 's_email'))).toEqual(new Set([key]));
    }
    const withAddress = triggers.filter((trigger) => trigger.body.includes('s_email'));
    expect(withAddress.map((trigger) => trigger.name)).toEqual([
      'oc_account_sync_user_ad_1',
      'oc_account_sync_user_au_1',
    ]);
    const [account] = await database.query<{ account: string }>('SELECT CURRENT_USER() AS account');
    expect(triggers.every((trigger) => trigger.mode === '' && trigger.charset === 'utf8mb4')).toBe(true);
    expect(triggers).toEqual(
      triggers.map((trigger) => expect.objectContaining({ ...trigger, definer: account?.account, timing: 'AFTER' })),
    );
  });

  it('T1: fills a narrow InnoDB table without secondary indexes', async () => {
    const { database } = await capturedSite();
    const indexes = await database.query<{ name: string }>(
      `SELECT DISTINCT INDEX_NAME AS name FROM information_schema.STATISTICS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`,
      [database.name, OWN.queue],
    );
    expect(indexes).toEqual([{ name: 'PRIMARY' }]);
    expect(await database.query(`SHOW TABLE STATUS LIKE '${OWN.queue}'`)).toMatchObject([{ Engine: 'InnoDB' }]);
  });

  it('is silent while the daemon writes, and only in its own session', async () => {
    const { host, site, drainAll, markers } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await inTransaction(site.db, async (trx) => {
      await asDaemon(trx, async () => {
        await sql`UPDATE oc_t_user SET s_name = 'Ana M.' WHERE pk_i_id = ${ana}`.execute(trx);
        await host.write('UPDATE {user_description} SET s_info = ? WHERE fk_i_user_id = ?', ['x', ana]);
      });
      await sql`UPDATE oc_t_user SET s_website = 'x' WHERE pk_i_id = ${ana}`.execute(trx);
    });
    expect((await markers()).map(({ op }) => op)).toEqual(['U']);
  });
});

describe('T2: the host goes on writing', () => {
  const everything = 'register, edit, describe, delete';
  it(`when the queue table is gone: ${everything}`, async () => {
    const { host, database } = await capturedSite();
    await database.query(`DROP TABLE ${OWN.queue}`);
    await liveAndDie(host);
    expect(await host.select('SELECT * FROM {user}')).toEqual([]);
  });

  it(`when the queue table lacks its columns: ${everything}`, async () => {
    const { host, database } = await capturedSite();
    await database.query(`ALTER TABLE ${OWN.queue} DROP COLUMN op`);
    await liveAndDie(host);
    expect(await database.query(`SELECT * FROM ${OWN.queue}`)).toEqual([]);
  });

  it(`when the account that made the triggers loses its right on the queue: ${everything}`, async () => {
    const { host, site, database, markers } = await capturedSite();
    // Rights of tables, since a right of a database cannot be taken back for one table.
    const right = `INSERT ON ${OWN.queue}`;
    const account = await createAccount(database, ['TRIGGER ON oc_t_user', 'SELECT ON oc_t_user', right]);
    await database.query("SET SESSION sql_mode = ''");
    for (const spec of requiredTriggers(site.snapshot().catalog)) {
      await database.query(`DROP TRIGGER ${ownName('oc_', `${spec.purpose}_1`)}`);
      if (spec.table !== 'oc_t_user') continue;
      const create = createTriggerSql(spec, ownName('oc_', `${spec.purpose}_2`));
      await database.query(create.replace('CREATE', `CREATE DEFINER = '${account.user}'@'%'`));
    }
    await host.person.register({ email: 'bob@example.com', name: 'Bob' });
    expect(await markers()).toHaveLength(2);
    await database.query(`REVOKE INSERT ON \`${database.name}\`.${OWN.queue} FROM '${account.user}'@'%'`);
    await liveAndDie(host);
    // Some servers let everyone write into databases called test_….
    const [open] = await database.query<{ n: string }>(
      "SELECT COUNT(*) AS n FROM mysql.db WHERE User IN ('', 'PUBLIC')",
    );
    expect(await markers()).toHaveLength(Number(open?.n) > 0 ? 6 : 2);
  });

  it('when an address is too long for the queue, and marks the deletion all the same', async () => {
    const { host, database, markers, drainAll } = await capturedSite();
    await database.query('ALTER TABLE oc_t_user DROP INDEX s_email, MODIFY s_email VARCHAR(500) NOT NULL');
    const ana = await host.person.register({ email: `${'a'.repeat(400)}@example.com`, name: 'Ana' });
    await drainAll();
    await host.person.deleteAccount(ana);
    expect(await markers()).toMatchObject([{ userId: ana, op: 'D', oldEmail: 'a'.repeat(320) }]);
  });

  it('when a session of the host is as strict as can be', async () => {
    const { host, markers } = await capturedSite();
    await host.db.query("SET SESSION sql_mode = 'TRADITIONAL,ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT'");
    await host.db.query("SET SESSION time_zone = '+05:30'");
    await host.write(
      `INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email)
       VALUES ('2024-01-01 00:00:00', 'A', 'a', LEFT(SHA2('x', 256), 40), 'a@b.c')`,
    );
    const [marker] = await markers();
    expect(Math.abs((marker?.atMs ?? 0) - Date.now())).toBeLessThan(5000);
  });

  it('S2: while a statement that waits for a row has marked others: markers wait for nobody', async () => {
    const { host, markers } = await capturedSite({
      before: (empty) => empty.seed.users({ seed: 1, count: 5, firstId: 1 }),
    });
    const [open, mass] = [await host.again(), await host.again()];
    await open.db.query('START TRANSACTION');
    await open.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = 3', ['x']);
    const waiting = mass.write('UPDATE {user} SET s_website = ? WHERE pk_i_id <= 4', ['y']);
    await host.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = 5', ['z']);
    await open.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = 5', ['x']);
    await open.db.query('COMMIT');
    await waiting;
    await Promise.all([open.close(), mass.close()]);
    expect(new Set((await markers()).map((marker) => marker.userId))).toEqual(new Set([1, 2, 3, 4, 5]));
  });
});
