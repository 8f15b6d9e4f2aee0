/** After the restore of a whole backup: accounts that were removed since are there again, and a person is told which. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { dumpOf, restoreInto } from '../support/dump.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let cli: Cli;
let ofOsclass: Buffer;
/** Who was left before the restore. */
let removed: Record<'cars' | 'homes', unknown[]>;

const emailsOf = async ({ host }: WorldSite): Promise<unknown[]> =>
  (await host.select('SELECT s_email FROM {user} ORDER BY s_email')).map((row) => row['s_email']);

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes']);
  [cars, homes] = [world.site('cars'), world.site('homes')];
  for (const name of ['ana', 'bob', 'cid', 'dan']) {
    await cars.host.person.register({ email: `${name}@example.com`, name, validation: false });
  }
  await world.settle(60_000);
  cli = makeCli(configOf(cars, [homes]));
  const backup = await dumpOf(cars.db);
  const tables = (await cars.db.query('SHOW TABLES')).map((row) => String(Object.values(row)[0]));
  const osclass = tables.filter((table) => !table.includes('account_sync'));
  ofOsclass = await dumpOf(cars.db, ['--single-transaction', '--skip-triggers', '--hex-blob'], osclass);
  await homes.host.person.deleteAccount('bob@example.com');
  await cars.host.person.deleteAccount('cid@example.com');
  await world.settle(60_000);
  removed = { homes: await emailsOf(homes), cars: await emailsOf(cars) };
  await cars.stop();
  await restoreInto(cars.db, backup);
}, 240_000);
afterAll(async () => {
  cli?.close();
  await world?.close();
});

describe('after the restore of a whole backup', { timeout: 240_000 }, () => {
  it('a feed names the accounts that were removed since, there or here, whether a daemon runs or not', async () => {
    const left = ['ana@example.com', 'dan@example.com'];
    expect(removed).toEqual({ homes: left, cars: left });
    const dry = await cli.run('feed', 'homes', '--restart', '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toMatchObject({
      removed_there: expect.arrayContaining([
        { user_id: expect.any(Number), email: 'b***@e***.com', removed: expect.any(String), by: 'homes' },
        { user_id: expect.any(Number), email: 'c***@e***.com', removed: expect.any(String), by: 'cars' },
      ]),
    });
    expect((await cli.run('logs', '--search', 'USER_REMOVED')).out).toBe('');
    await cars.start();
    const { code, out, err } = await cli.run('feed', 'homes', '--restart');
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^Progress: 100/);
    expect(err).toMatch(/Here again, though homes remembers their removal/);
    expect(err).toMatch(/#\d+ b\*\*\*@e\*\*\*\.com, removed \S+Z by homes/);
    expect(err).toMatch(/#\d+ c\*\*\*@e\*\*\*\.com, removed \S+Z by cars/);
    expect(err).not.toMatch(/ [ad]\*\*\*@/);
  });

  it('log and explain say so, and what will become of them', async () => {
    const { out } = await cli.run('logs', '--search', 'USER_REMOVED');
    expect(out.match(/homes remembers that (homes|cars) removed this account/g)).toHaveLength(2);
    const explained = await cli.run('explain', 'bob@example.com');
    expect(explained.out).toMatch(
      /homes remembers that homes removed this account at .*is removed again with its next change/,
    );
    expect((await cli.run('explain', 'ana@example.com')).out).not.toMatch(/remembers/);
  });

  it('they stay on this site alone until they are changed here, and then they are removed, as was said', async () => {
    expect(await emailsOf(cars)).toEqual(['ana', 'bob', 'cid', 'dan'].map((name) => `${name}@example.com`));
    await cars.host.person.editProfile('bob@example.com', { website: 'https://bob.example.com' });
    await cars.host.person.editProfile('ana@example.com', { website: 'https://ana.example.com' });
    const left = ['ana', 'cid', 'dan'].map((name) => `${name}@example.com`);
    await eventually(async () => expect(await emailsOf(cars)).toEqual(left), { timeoutMs: 60_000 });
    await world.settle(60_000);
    expect(await emailsOf(homes)).toEqual(['ana@example.com', 'dan@example.com']);
    const again = await cli.run('feed', 'homes');
    expect(again.err).toMatch(/ c\*\*\*@/);
    expect(again.err).not.toMatch(/ b\*\*\*@/);
  });

  it("after the restore of Osclass's tables alone, with the daemon reinstalled, they are named too", async () => {
    await cars.stop();
    expect(await cli.run('uninstall')).toMatchObject({ code: 0 });
    await restoreInto(cars.db, ofOsclass);
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    await cars.start();
    const { err } = await cli.run('feed', 'homes', '--restart');
    expect(err).toMatch(/ b\*\*\*@/);
    expect(err).toMatch(/ c\*\*\*@/);
    expect(err).not.toMatch(/ [ad]\*\*\*@/);
  });
});
