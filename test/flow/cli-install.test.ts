import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RIGHTS } from '../../src/capture/rights.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { createAccount } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let cli: Cli;
/** Whether the server lets accounts without SUPER make triggers: false is error 1419. */
let isTrusting: boolean;

beforeAll(async () => {
  world = await makeWorld(['cars'], { idle: true });
  cars = world.site('cars');
  await cars.host.seed.users({ seed: 'cars', count: 20 });
  const [row] = await cars.db.query<{ strict: string | number }>(
    'SELECT @@global.log_bin AND NOT @@global.log_bin_trust_function_creators AS strict',
  );
  isTrusting = Number(row?.strict) === 0;
});
afterAll(() => world.close());
beforeEach(() => {
  cli = makeCli(configOf(cars, []));
});
afterEach(async () => {
  await cli.run('uninstall', '--force');
  cli.close();
});

/** From now on commands log in as an account with these rights. */
const loginWith = async (...grants: string[]): Promise<void> => {
  const login = await createAccount(cars.db, grants);
  cli.configure(configOf(cars, [], { login }));
};
const asRoot = (): void => cli.configure(configOf(cars, []));

const traces = async (): Promise<unknown[]> => [
  ...(await cars.db.query(`SHOW TABLES LIKE 'oc\\_account\\_sync%'`)),
  ...(await cars.db.query('SHOW TRIGGERS')),
];

/** A lease as somebody has it who is not there any more, for so many seconds yet. */
const leaveLease = (seconds: number): Promise<unknown> =>
  cars.db.query(`REPLACE INTO oc_account_sync_lease (name, holder, expires_at)
    VALUES ('daemon', 'gone#1', UTC_TIMESTAMP(3) + INTERVAL ${seconds} SECOND)`);

describe('account-sync uninstall', { timeout: 60_000 }, () => {
  it('waits until the leases of a daemon that was killed, or of a backup, run out, and is not put off by them', async () => {
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    await leaveLease(8);
    expect(await cli.run('uninstall')).toMatchObject({ code: 0, err: expect.stringMatching(/was at work within/) });
    expect(await traces()).toEqual([]);
  });

  it('takes nothing away once it sees somebody prolong a lease, or take one', async () => {
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    const before = await traces();
    for (const atWork of [
      () => leaveLease(30),
      () => cars.db.query(`UPDATE oc_account_sync_lease SET holder = 'another#1'`),
    ]) {
      await leaveLease(20);
      const running = cli.start('uninstall');
      await eventually(async () => expect(running.err()).toMatch(/looking whether/));
      await atWork();
      expect(await running.ended).toMatchObject({ code: 1, err: expect.stringMatching(/is at work/) });
    }
    expect(await traces()).toEqual(before);
  });

  it('stopped while it waits, takes nothing away', async () => {
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    const before = await traces();
    await leaveLease(20);
    const running = cli.start('uninstall');
    await eventually(async () => expect(running.err()).toMatch(/looking whether/));
    running.kill('SIGINT');
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(await traces()).toEqual(before);
  });
});

describe('account-sync install', { timeout: 60_000 }, () => {
  it('prints the GRANT that is missing, and leaves nothing half done', async () => {
    await loginWith('SELECT, INSERT, UPDATE, DELETE, CREATE, TRIGGER');
    const { code, out, err } = await cli.run('install');
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/GRANT SELECT, .* ON .* TO 'test_\w+'@'%';/);
    expect(err).toMatch(/DB_MISSING_RIGHT: The account lacks ALTER, DROP, INDEX on the database/);
    expect(await traces()).toEqual([]);
    const check = await cli.run('check');
    expect(check).toMatchObject({ code: 3, out: expect.stringMatching(/fail {2}rights .*lacks ALTER, DROP, INDEX/) });
    expect(await traces()).toEqual([]);
    asRoot();
  });

  it('T8: works with what the GRANT says, or tells how to make the server trust accounts', async () => {
    await loginWith(RIGHTS.join(', '));
    const { code, err } = await cli.run('install');
    expect(code).toBe(isTrusting ? 0 : 1);
    expect(err).toMatch(isTrusting ? /Triggers made: 9/ : /SET GLOBAL log_bin_trust_function_creators = 1/);
    expect((await traces()).length > 0).toBe(isTrusting);
    if (isTrusting) await cli.run('uninstall');
    asRoot();
    expect(await traces()).toEqual([]);
  });

  it('prints the GRANT also for an account that cannot even connect', async () => {
    await loginWith();
    const { code, out, err } = await cli.run('install', '--dry-run');
    expect(code).toBe(1);
    // The account is there, as the server says; only its rights are not.
    expect(out).toMatch(/^GRANT SELECT, .* TO 'test_\w+'@'%';$/m);
    expect(out).not.toMatch(/CREATE USER/);
    expect(err).toMatch(/DB_ACCESS_DENIED/);
    asRoot();
  });

  it('prints, for somebody else to run, exactly what it would make itself', async () => {
    const { out } = await cli.run('install', '--dry-run');
    const [tables = '', triggers = ''] = out.split('DELIMITER //\n');
    for (const statement of tables.split(/;\n/).filter((text) => /^(?:-- .*\n|\s)*CREATE TABLE/.test(text))) {
      await cars.db.query(statement.replaceAll(/^-- .*$/gm, ''));
    }
    await cars.db.query(`SET SESSION sql_mode = ''`);
    for (const statement of triggers.split('//\n').filter((text) => text.includes('CREATE TRIGGER'))) {
      await cars.db.query(statement);
    }
    expect((await cli.run('check')).out).not.toMatch(/fail {2}triggers/);
    expect((await cli.run('install')).out).toBe('Installed: 20 users looked at.\n');
    expect((await cli.run('check')).code).toBe(0);
  });

  it('goes on where it was stopped, and brings older tables up to date', async () => {
    await cli.run('install');
    await cars.db.query(`DELETE FROM oc_account_sync_state WHERE name = 'baseline_finished_at'`);
    expect((await cli.run('check')).out).toMatch(/warn {2}baseline {8}not finished/);
    expect((await cli.run('install')).out).toMatch(/^Already installed; brought up to date, 20 users looked at/);
    await cars.db.query('UPDATE oc_account_sync_migration SET finished_at = NULL WHERE id > 1');
    expect(await cli.run('status')).toMatchObject({ code: 1, err: expect.stringMatching(/of an older version/) });
    expect((await cli.run('install')).code).toBe(0);
    expect((await cli.run('status')).code).toBe(0);
  });

  it('repairs triggers that are gone, and says so', async () => {
    await cli.run('install');
    const [trigger] = await cars.db.query<{ Trigger: string }>("SHOW TRIGGERS LIKE 'oc\\_t\\_user'");
    await cars.db.query(`DROP TRIGGER ${trigger?.Trigger}`);
    const check = await cli.run('check', '--json');
    expect(JSON.parse(check.out)).toMatchObject({ ok: false });
    expect(check.out).toMatch(/"triggers",\s+"result": "fail",\s+"message": "\w+ missing"/);
    expect((await cli.run('install')).err).toMatch(/Triggers made: 1\./);
    expect((await cli.run('check')).code).toBe(0);
  });
});
