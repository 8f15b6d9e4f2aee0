/** Invariant 11 where things go wrong: errors, refusals and parked values say nothing that opens an account or a site. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon } from '../../src/daemon/daemon.ts';
import { makeLogger } from '../../src/runtime/logger.ts';
import { drainAll, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { eventually } from '../support/eventually.ts';
import { keyOf, makeWorld, tokenOf, type World, type WorldSite } from '../support/world.ts';

let written = '';
const log = makeLogger({ level: 'debug', destination: { write: (line: string) => void (written += line) } });
const answers: string[] = [];
let world: World;
let cars: WorldSite;
let homes: WorldSite;

const LONG_HASH = `$2y$15$${'longHashThatFitsNoColumn'.repeat(8)}`;
const WRONG_KEY = 'wrong-key-9876543210-zyxwv';
const WRONG_PASSWORD = 'wrong-database-password-42';
const columns = '    columns: [s_name, s_password, s_secret]\n    send_columns: [s_name, s_password, s_secret]';

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], {
    manual: true,
    log,
    peerExtra: { 'cars.homes': columns, 'homes.cars': columns },
  });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());

const ask = async (site: WorldSite, path: string, init: RequestInit = {}): Promise<void> => {
  const response = await fetch(new URL(path, site.url), init);
  answers.push([...response.headers].join('\n'), await response.text());
};
const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

it('no key, token, password or hash is said by anything that goes wrong', async () => {
  const hashes = async (): Promise<string[]> => {
    const rows = await Promise.all(
      world.sites.map(({ db }) =>
        db.query<{ h: string; s: string | null }>('SELECT s_password AS h, s_secret AS s FROM oc_t_user'),
      ),
    );
    return rows.flat().flatMap(({ h, s }) => (s === null ? [h] : [h, s]));
  };
  const email = 'ana@example.com';
  await cars.host.person.register({ email, name: 'Ana', validation: false });
  await settleByHand(world);
  const early = await hashes();

  // Both change password and secret: a conflict, with a value that loses.
  for (const { host } of world.sites) {
    await host.person.changePassword(email);
    await host.person.loginRemembered(email);
  }
  const middle = await hashes();
  await settleByHand(world);

  // A hash that the peer has no room for, and one that a check there refuses.
  await cars.db.query('ALTER TABLE oc_t_user MODIFY s_password VARCHAR(255) NOT NULL');
  await (await siteOf(cars)).refresh();
  await cars.host.write('UPDATE {user} SET s_password = ?', [LONG_HASH]);
  await homes.db.query("ALTER TABLE oc_t_user ADD CHECK (s_secret NOT LIKE 'refused%')");
  await cars.host.write("UPDATE {user} SET s_secret = 'refusedSecret1'");
  await settleByHand(world);

  // A peer that is away, one that takes our key for a stranger's, and one that answers nonsense.
  await cars.host.person.loginRemembered(email);
  await drainAll(cars);
  await homes.stop();
  const site = await siteOf(cars);
  await expect(site.deliver(site.route('homes'))).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' });
  const stranger = { ...homes.config, peers: [{ ...homes.config.peers[0], apiKeys: [`${WRONG_KEY}-other`] }] };
  homes.daemon = await startDaemon({ config: stranger as typeof homes.config, log, manual: true });
  await homes.daemon.ready;
  await expect(site.deliver(site.route('homes'))).rejects.toMatchObject({ code: 'PEER_REFUSED_KEY' });
  await homes.stop();
  await homes.start();

  // Callers that put secrets where they do not belong.
  const json = { 'content-type': 'application/json' };
  await ask(cars, 'v1/feed', { headers: bearer(WRONG_KEY) });
  await ask(cars, `v1/feed?api_key=${WRONG_KEY}`, { headers: bearer(keyOf('homes')) });
  await ask(cars, `v1/${WRONG_KEY}`);
  await ask(cars, 'v1/hello', { headers: { authorization: `Basic ${btoa(`homes:${keyOf('homes')}`)}` } });
  await ask(cars, 'v1/stream', { method: 'POST', headers: { ...bearer(keyOf('homes')), ...json }, body: LONG_HASH });
  const record = { kind: 'user', uids: [LONG_HASH], email, born: keyOf('homes'), registers: { s_password: LONG_HASH } };
  await ask(cars, 'v1/stream', {
    method: 'POST',
    headers: { ...bearer(keyOf('homes')), ...json },
    body: JSON.stringify({ site: 'homes', records: [record] }),
  });

  // A database that refuses us.
  const refused = await startDaemon({
    config: {
      ...homes.config,
      http: { ...homes.config.http, port: 0 },
      database: { ...homes.config.database, user: 'nobody_here', password: WRONG_PASSWORD },
    },
    log,
  });
  refused.ready.catch(() => undefined);
  await eventually(() => expect(written).toContain('cannot start yet'));
  answers.push(await (await fetch(new URL('health', refused.url))).text());
  await refused.stop('test');

  const paths = ['logs?limit=1000', 'peers', 'pending', 'parked'];
  for (const one of world.sites) {
    const headers = bearer(one.adminToken);
    for (const path of [...paths, 'peers/cars', 'peers/homes', 'peers/cars/feed'])
      await ask(one, `v1/${path}`, { headers });
    for (const accept of ['text/csv', 'application/x-ndjson']) {
      await ask(one, 'v1/logs?limit=1000', { headers: { ...headers, accept } });
    }
    for (const path of ['health', 'health/live', 'openapi.json', 'metrics']) await ask(one, path, { headers });
    const tables = ['log', 'peer', 'outbox', 'queue', 'state', 'lease'];
    for (const table of tables)
      answers.push(JSON.stringify(await one.db.query(`SELECT * FROM oc_account_sync_${table}`)));
    answers.push(JSON.stringify(await one.db.query('SELECT code, message FROM oc_account_sync_parked')));
  }
  const everything = [written, ...answers].join('\n');
  expect(everything).toContain('VALUE_UNSTORABLE');
  expect(everything).toContain('CONFLICT');
  expect(everything).toContain('PEER_REFUSED_KEY');

  const secrets = [
    ...early,
    ...middle,
    ...(await hashes()),
    ...world.sites.flatMap(({ name }) => [keyOf(name), tokenOf(name), btoa(keyOf(name))]),
    LONG_HASH,
    LONG_HASH.slice(7, 60),
    'refusedSecret1',
    WRONG_KEY,
    WRONG_PASSWORD,
    '$2y$',
  ];
  const said = [...new Set(secrets)].filter((secret) => everything.includes(secret));
  expect(
    said.map((secret) => everything.slice(everything.indexOf(secret) - 200, everything.indexOf(secret) + 80)),
  ).toEqual([]);
}, 120_000);
