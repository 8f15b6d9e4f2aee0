/** A person says of two accounts of one address, on sites that have no addresses proved, that they are one person's, or two. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linkAccounts } from '../../src/admin/link.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { openSite } from '../../src/site/site.ts';
import { dateBack, makeAttackStage, ownedBy, type AttackStage } from '../support/attack-stage.ts';
import { deliverAll, drainAll } from '../support/by-hand.ts';
import { configOf, makeCli, type Cli, type Ended } from '../support/cli.ts';
import type { Host } from '../support/osclass/host.ts';
import { makeStatementStop } from '../support/statement-stop.ts';
import { setValidation, signUp } from '../support/validation.ts';
import type { WorldSite } from '../support/world.ts';

const NAMES = ['linked', 'routed', 'dropped', 'blocked', 'parted', 'raced', 'killed', 'plugin', 'waiting'] as const;
const address = (name: (typeof NAMES)[number]): string => `${name}@example.com`;

let stage: AttackStage;
let cli: Cli;
/** Everybody is here and there; those of cars were edited last. */
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, cars, jobs }) {
      for (const host of [homes, jobs]) await setValidation(host, false);
      for (const name of NAMES) {
        await signUpLongAgo(homes, name, 'Here', '2021-03-04 05:06:07');
        if (name === 'plugin') await signUpLongAgo(jobs, name, 'There', '2022-03-04 05:06:07');
        else await signUpLongAgo(cars, name, 'There', '2022-03-04 05:06:07');
      }
    },
  });
  cli = makeCli(configOf(stage.homes, [stage.cars]));
  for (const { host } of [stage.homes, stage.cars]) await host.write("UPDATE {user} SET s_zip = '28001'");
  await stage.jobs.person.editProfile(address('plugin'), { zip: '28002' });
  await stage.settle();
}, 90_000);
afterAll(async () => {
  cli.close();
  await stage.close();
});

async function signUpLongAgo(host: Host, name: (typeof NAMES)[number], called: string, date: string): Promise<void> {
  await signUp({ host }, { email: address(name), name: called });
  await dateBack(host, address(name), date);
}

const both = (): readonly [WorldSite, WorldSite] => [stage.homes, stage.cars];
const rowsOf = async (email: string) => Promise.all(both().map(({ host }) => host.user(email)));
const waitingOn = async (email: string): Promise<string[][]> =>
  Promise.all(both().map((site) => stage.waiting(site, email)));
const apart = [['EMAIL_UNPROVEN'], ['EMAIL_UNPROVEN']];
const together = [[], []];
const post = (path: string, body: object) => stage.homes.admin('POST', path, body);

/** Both sites have one account. */
async function expectOne(email: string): Promise<void> {
  await stage.settle();
  const [here, there] = await rowsOf(email);
  expect(ownedBy(here)).toEqual(ownedBy(there));
  expect(here?.['s_name']).toBe(there?.['s_name']);
  expect(await waitingOn(email)).toEqual(together);
}

describe('link', () => {
  it('says beforehand what would come of it, and writes nothing', async () => {
    const email = address('linked');
    const [before] = await rowsOf(email);
    expect(await waitingOn(email)).toEqual(apart);
    const said = await cli.run('link', email, 'cars', '--dry-run', '--json');
    expect(JSON.parse(said.out)).toMatchObject({ peer: 'cars', result: 'linked', records: 1, dry_run: true });
    expect(said.code).toBe(0);
    expect((await rowsOf(email))[0]).toEqual(before);
    expect(await waitingOn(email)).toEqual(apart);
  });

  it('merges what waits by time, at once, here and there, and says who it was', async () => {
    const email = address('linked');
    const [here, there] = await rowsOf(email);
    const said: Ended = await cli.run('link', email, 'cars');
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('is one with the account at cars') });
    expect((await stage.homes.host.user(email))?.['s_name']).toBe('There');
    expect(await stage.waiting(stage.homes, email)).toEqual([]);
    await expectOne(email);
    expect((await stage.homes.host.user(email))?.['s_password']).toBe(there?.['s_password']);
    expect(here?.['s_password']).not.toBe(there?.['s_password']);
    const { logs } = (await stage.homes.admin('GET', '/v1/logs?search=Linked%20with')).body;
    expect(logs).toMatchObject([
      { type: 'PROCESS', peer: 'cars', status: 'OK', content: { operation: 'link', email: 'l***@e***.com' } },
    ]);
  });

  it('of those that are one already it says so', async () => {
    const said = await cli.run('link', address('linked'), 'cars');
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('nothing to do') });
  });

  it('goes over HTTP too; a wrong address, peer or body is refused', async () => {
    const email = address('routed');
    const planned = await post('/v1/link', { email, peer: 'cars', dry_run: true });
    expect(planned.body).toMatchObject({ status: 'OK', result: 'linked', dry_run: true });
    const { status, body } = await post('/v1/link', { email: email.toUpperCase(), peer: 'cars' });
    expect(body).toMatchObject({ status: 'OK', result: 'linked', records: 1, blocked: false, email: 'r***@e***.com' });
    expect(status).toBe(200);
    await expectOne(email);
    expect((await post('/v1/link', { email, peer: 'nobody' })).body).toMatchObject({ code: 'PEER_UNKNOWN' });
    const unknown = await post('/v1/link', { email: 'who@example.com', peer: 'cars' });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect((await post('/v1/link', { email })).status).toBe(422);
    expect((await post('/v1/unlink', { email, peer: 'cars', all: true })).status).toBe(422);
  });

  it('names what is wrong', async () => {
    expect(await cli.run('link', 'who@example.com', 'cars')).toMatchObject({
      code: 1,
      err: expect.stringContaining('Nobody has the address w***@e***.com here.'),
    });
    expect(await cli.run('unlink', address('linked'), 'carz')).toMatchObject({
      code: 2,
      err: expect.stringContaining('Did you mean cars?'),
    });
  });

  it('where nothing waits, the account goes to the peer, to be merged there', async () => {
    const email = address('dropped');
    const rows = await stage.homes.db.query<{ id: string; record: Buffer }>(
      'SELECT id, record FROM oc_account_sync_parked',
    );
    const row = rows.find(({ record }) => record.includes(email));
    await stage.homes.admin('DELETE', `/v1/parked/${row?.id}`);
    expect(await stage.waiting(stage.homes, email)).toEqual([]);
    expect((await post('/v1/link', { email, peer: 'cars' })).body).toMatchObject({ result: 'sent', records: 0 });
    await expectOne(email);
  });

  it('a block here stays, and travels', async () => {
    const email = address('blocked');
    await stage.homes.host.write('UPDATE {user} SET b_enabled = 0 WHERE s_email = ?', [email]);
    await drainAll(stage.homes);
    const said = await cli.run('link', email, 'cars');
    expect(said.out).toContain('It is blocked here, and will be at cars too.');
    await expectOne(email);
    expect(await rowsOf(email)).toMatchObject([{ b_enabled: 0 }, { b_enabled: 0 }]);
  });

  it('merges a record that comes meanwhile as well, and two who say it say it once', async () => {
    const email = address('raced');
    await stage.cars.host.write("UPDATE {user} SET s_city_area = 'Sol' WHERE s_email = ?", [email]);
    await drainAll(stage.cars);
    const said = () => post('/v1/link', { email, peer: 'cars' });
    const [one, other] = await Promise.all([said(), said(), deliverAll(stage.cars, 'homes')]);
    expect([one.status, other.status]).toEqual([200, 200]);
    await expectOne(email);
    expect(await rowsOf(email)).toMatchObject([{ s_city_area: 'Sol' }, { s_city_area: 'Sol' }]);
  });

  it('killed between any two statements, it is done or still waits', { timeout: 60_000 }, async () => {
    const email = address('killed');
    const stop = makeStatementStop('throw');
    const fragile = await openSite(stage.homes.config, { clock: systemClock, onStatement: stop.onStatement });
    const by = { name: 'ana', keyDigest: null, ip: null, trace: 'test' };
    const said = () => linkAccounts(fragile, { email, peer: 'cars', dryRun: false }, by);
    let kills = 0;
    for (let at = 1; ; at += 1) {
      stop.arm(at);
      const ended = await said().then(
        () => true,
        () => false,
      );
      if (ended && stop.count() < at) break;
      kills += 1;
      const isDone = (await stage.homes.host.user(email))?.['s_name'] === 'There';
      expect(await stage.waiting(stage.homes, email)).toEqual(isDone ? [] : ['EMAIL_UNPROVEN']);
    }
    await fragile.close();
    expect(kills).toBeGreaterThan(10);
    await expectOne(email);
    expect((await stage.homes.host.user(email))?.['s_name']).toBe('There');
  });

  it('of a peer with the plugin: what waits goes through, and so does what it says later', async () => {
    const email = address('plugin');
    expect(await stage.waiting(stage.homes, email)).toEqual(['EMAIL_UNPROVEN']);
    expect((await post('/v1/link', { email, peer: 'jobs' })).body).toMatchObject({ result: 'linked' });
    await stage.settle();
    await stage.jobs.person.editProfile(email, { zip: '28009' });
    await stage.settle();
    expect(await stage.homes.host.user(email)).toMatchObject({ s_zip: '28009' });
    expect(await stage.waiting(stage.homes, email)).toEqual([]);
  });

  it('of a peer with the plugin, of which nothing waits, nothing can be said', async () => {
    const none = await post('/v1/link', { email: address('waiting'), peer: 'jobs' });
    expect(none).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const apartThere = await post('/v1/unlink', { email: address('plugin'), peer: 'jobs' });
    expect(apartThere).toMatchObject({ status: 422, body: { code: 'REQUEST_INVALID' } });
  });
});

describe('unlink', () => {
  it('of those that never met, and wait, there is nothing to part', async () => {
    const email = address('waiting');
    expect((await post('/v1/unlink', { email, peer: 'cars' })).body).toMatchObject({ result: 'unchanged' });
    expect(await waitingOn(email)).toEqual(apart);
  });

  it('keeps both, and what is changed on one side stays there', async () => {
    const email = address('parted');
    await post('/v1/link', { email, peer: 'cars' });
    await expectOne(email);
    const planned = await cli.run('unlink', email, 'cars', '--dry-run', '--json');
    expect(JSON.parse(planned.out)).toMatchObject({ result: 'parted', dry_run: true });
    const said = await cli.run('unlink', email, 'cars');
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining('is another than the account at cars') });
    await stage.homes.host.write("UPDATE {user} SET s_name = 'Mine' WHERE s_email = ?", [email]);
    await stage.cars.host.write("UPDATE {user} SET s_name = 'Theirs' WHERE s_email = ?", [email]);
    await stage.settle();
    expect(await rowsOf(email)).toMatchObject([{ s_name: 'Mine' }, { s_name: 'Theirs' }]);
    expect(await waitingOn(email)).toEqual(apart);
    const { logs } = (await stage.homes.admin('GET', '/v1/logs?search=Parted%20from')).body;
    expect(logs).toMatchObject([{ peer: 'cars', content: { operation: 'unlink' } }]);
  });

  it('said again it changes nothing; nor does a feed', async () => {
    const email = address('parted');
    expect((await post('/v1/unlink', { email, peer: 'cars' })).body).toMatchObject({ result: 'unchanged' });
    for (const [site, peer] of [[stage.homes, 'cars'] as const, [stage.cars, 'homes'] as const]) {
      const { site: open } = await site.open();
      await open.feed(peer, { restart: true, once: false, dryRun: false, overwrite: false });
    }
    await stage.settle();
    expect(await rowsOf(email)).toMatchObject([{ s_name: 'Mine' }, { s_name: 'Theirs' }]);
  });

  it('then link makes them one again', async () => {
    const email = address('parted');
    expect((await post('/v1/link', { email, peer: 'cars' })).body).toMatchObject({ result: 'linked' });
    await expectOne(email);
  });

  it('a removal there of whom it was parted from removes nobody here, and what waits of it goes', async () => {
    const email = address('parted');
    await post('/v1/unlink', { email, peer: 'cars' });
    await stage.settle();
    await stage.cars.host.person.deleteAccount(email);
    await drainAll(stage.cars);
    await deliverAll(stage.cars);
    expect(await stage.homes.host.user(email)).toBeDefined();
    expect(await stage.waiting(stage.homes, email)).toEqual([]);
    // There the address is free now, and the account of here comes.
    await stage.settle();
    expect(ownedBy(await stage.cars.host.user(email))).toEqual(ownedBy(await stage.homes.host.user(email)));
    expect(await waitingOn(email)).toEqual(together);
  });
});
