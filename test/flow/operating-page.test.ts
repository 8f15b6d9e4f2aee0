/**
 * docs/operating.md on two sites in use, in its order: backup, restore, moving, removing. No write of a site fails while it is
 * open, and no edit is lost.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import { silentLog } from '../../src/runtime/logger.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { dumpOf, restoreInto } from '../support/dump.ts';
import { expectEverywhere as expectColumns, keepEditing, PEOPLE, registerPeople } from '../support/editing.ts';
import { eventually } from '../support/eventually.ts';
import { openHost, type Host } from '../support/osclass/host.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

/** What the people of each site edit: one thing each, so that every last edit has to be everywhere in the end. */
const COLUMN = { cars: 's_website', homes: 's_phone_land' } as const;

let world: World;
let cars: WorldSite;
let homes: WorldSite;
/** Commands on cars, with the config that it has now. */
let cli: Cli;
let moved:
  { readonly there: TestDatabase; readonly host: Host; daemon: Daemon | undefined; account: string } | undefined;
/** Of homes, after cars has left. */
let alone: Daemon | undefined;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes']);
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await registerPeople(cars.host);
  await world.settle(60_000);
  cli = makeCli(configOf(cars, [homes]));
}, 240_000);
afterAll(async () => {
  cli?.close();
  await moved?.daemon?.stop('over');
  await alone?.stop('over');
  await moved?.host.close();
  if (moved !== undefined && moved.account !== '') await moved.there.query(`DROP USER IF EXISTS ${moved.account}`);
  await moved?.there.drop();
  await world?.close();
});

/** Both sites have what the people of each wrote last. */
async function expectEverywhere(
  hosts: readonly Host[],
  edits: Readonly<Partial<Record<keyof typeof COLUMN, ReadonlyMap<string, string>>>>,
): Promise<void> {
  const byColumn = Object.entries(edits).map(([site, last]) => [COLUMN[site as keyof typeof COLUMN], last] as const);
  await expectColumns(hosts, Object.fromEntries(byColumn));
}

describe('the order of docs/operating.md, on two sites in use', { timeout: 240_000 }, () => {
  let backup: Buffer;

  it('Backup: a dump while people write fails no write and loses no edit', async () => {
    const [here, there] = [await keepEditing(cars.host, COLUMN.cars), await keepEditing(homes.host, COLUMN.homes)];
    backup = await dumpOf(cars.db);
    expect(backup.toString('latin1')).not.toMatch(/CREATE.*TRIGGER/);
    const edits = { cars: await here.stop(), homes: await there.stop() };
    await expectEverywhere([cars.host, homes.host], edits);
  });

  it('Restore of the whole database: edits since the backup come back from the peer, and no edit of the peer is lost', async () => {
    const since = await keepEditing(cars.host, COLUMN.cars);
    const there = await keepEditing(homes.host, COLUMN.homes);
    const ofCars = await since.stop();
    await expectEverywhere([homes.host], { cars: ofCars });
    await cars.stop();
    await restoreInto(cars.db, backup);
    await cars.start();
    expect(await cli.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
    const ofHomes = await there.stop();
    await expectEverywhere([cars.host, homes.host], { cars: ofCars, homes: ofHomes });
    // And it works on.
    const again = await keepEditing(cars.host, COLUMN.cars);
    await eventually(async () => expect((await cli.run('check')).out).not.toMatch(/RESTORED_OR_CLONED|TRIGGER_/));
    await expectEverywhere([cars.host, homes.host], { cars: await again.stop(), homes: ofHomes });
  });

  it("Restore of Osclass's tables only: with uninstall and install before the feed, older rows undo no edit anywhere", async () => {
    const names = await cars.db.query<{ name: string }>(
      `SELECT TABLE_NAME AS name FROM information_schema.TABLES
       WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME NOT LIKE 'oc\\_account\\_sync%'`,
    );
    const older = await dumpOf(
      cars.db,
      undefined,
      names.map(({ name }) => name),
    );
    const since = await keepEditing(cars.host, COLUMN.cars);
    const there = await keepEditing(homes.host, COLUMN.homes);
    const ofCars = await since.stop();
    await expectEverywhere([homes.host], { cars: ofCars });
    await cars.stop();
    await restoreInto(cars.db, older);
    expect(await cli.run('uninstall')).toMatchObject({ code: 0, out: expect.stringMatching(/^Uninstalled/) });
    const ofHomes = await there.stop();
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    // The site is open again.
    const mobile = await keepEditing(cars.host, 's_phone_mobile');
    await cars.start();
    expect(await cli.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
    await expectColumns([cars.host, homes.host], { s_phone_mobile: await mobile.stop() });
    await expectEverywhere([cars.host, homes.host], { cars: ofCars, homes: ofHomes });
  });

  it('Moving: the site writes at every step it is open, and goes on at the new place with all edits', async () => {
    const before = await keepEditing(cars.host, COLUMN.cars);
    const onHomes = await keepEditing(homes.host, COLUMN.homes);
    // 1, 2
    const ofCars = await before.stop();
    expect(await cli.run('stream')).toMatchObject({ code: 0 });
    await expectEverywhere([homes.host], { cars: ofCars });
    await cars.stop();
    // 3, 4
    const there = await createDatabase();
    await restoreInto(there, await dumpOf(cars.db));
    const host = await openHost(there, { name: 'cars' });
    moved = { there, host, daemon: undefined, account: '' };
    // 5
    const login = { user: `${there.name.slice(0, 24)}_d`, password: 'a-password-of-the-daemon' };
    const text = configOf({ ...cars, db: there }, [homes], { login });
    cli.configure(text);
    // 6
    const dry = await cli.run('install', '--dry-run');
    expect(dry.out).toMatch(/CREATE USER[\s\S]*GRANT/);
    const [, account = ''] = /TO ('[^']+'@'[^']+')/.exec(dry.out) ?? [];
    const statements = dry.out.replaceAll(/^--.*$/gm, '').split(/;\n/);
    for (const statement of statements.filter((one) => one.trim() !== '')) await there.query(statement);
    moved.account = account;
    await expectEverywhere([host], { cars: ofCars });
    const writing = await keepEditing(host, COLUMN.cars);
    // 7, 8
    expect(await cli.run('resume', '--moved')).toMatchObject({ code: 0 });
    expect(await cli.run('install')).toMatchObject({ code: 0 });
    // 9, 10
    const { config } = parseConfig(text, 'cars.yaml', {}, () => '');
    moved.daemon = await startDaemon({ config, log: silentLog });
    await moved.daemon.ready;
    expect((await cli.run('check')).out).not.toMatch(/RESTORED_OR_CLONED|TRIGGER_/);
    await expectEverywhere([host, homes.host], { cars: await writing.stop(), homes: await onHomes.stop() });
  });

  it('Removing: the last changes go out, people of both sites write on throughout, and nothing of ours is left', async () => {
    if (moved === undefined) throw new Error('cars was not moved');
    const { host, there } = moved;
    const [onCars, onHomes] = [await keepEditing(host, COLUMN.cars), await keepEditing(homes.host, COLUMN.homes)];
    const last = new Map(PEOPLE.map((email) => [email, `last words to ${email}`]));
    const talking = await host.again();
    for (const [email, words] of last) {
      await talking.write('UPDATE {user} SET s_phone_mobile = ?, dt_mod_date = NOW() WHERE s_email = ?', [
        words,
        email,
      ]);
    }
    await talking.close();
    // 1
    await moved.daemon?.stop('the site leaves');
    moved.daemon = undefined;
    expect(await cli.run('stream')).toMatchObject({ code: 0 });
    // 2
    expect(await cli.run('uninstall')).toMatchObject({ code: 0 });
    expect(await there.query('SHOW TRIGGERS')).toEqual([]);
    expect(await there.query("SHOW TABLES LIKE '%account\\_sync%'")).toEqual([]);
    const runsAs = moved.account.replaceAll("'", '');
    const definers = 'SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE DEFINER = ?';
    expect(await there.query(definers, [runsAs])).toEqual([]);
    await there.query(`DROP USER ${moved.account}`);
    const rows = await homes.host.select('SELECT s_email, s_phone_mobile AS value FROM {user}');
    expect(new Map(rows.map((row) => [row['s_email'], row['value']]))).toEqual(last);
    // 3
    await homes.stop();
    const { config } = parseConfig(configOf(homes, []), 'homes.yaml', {}, () => '');
    alone = await startDaemon({ config, log: silentLog });
    await alone.ready;
    await eventually(async () => expect((await fetch(new URL('health', homes.url))).status).toBe(200), {
      timeoutMs: 60_000,
    });
    await expectEverywhere([host], { cars: await onCars.stop() });
    await expectEverywhere([homes.host], { homes: await onHomes.stop() });
  });
});
