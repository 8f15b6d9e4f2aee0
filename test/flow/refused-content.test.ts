/** Something between two sites that refuses one user for what is in a text: that one waits, with its reason; the others go on. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, letTimePass, scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { breakOff, page, startFront, type Act, type Front } from '../support/front.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { createHost } from '../support/osclass/host.ts';
import { makePhpPlugin, type PhpPlugin } from '../support/php-plugin/plugin.ts';
import { keyOf, makeWorld, type World } from '../support/world.ts';

const BAD = 'DROP TABLE';
const USERS = 20;

let world: World;
let front: Front;
beforeAll(async () => {
  front = await startFront(() => world.site('homes').url);
  world = await makeWorld(['cars', 'homes'], {
    manual: true,
    extra: { cars: 'stream: { batch_size: 50 }', homes: 'feed: { limit: 8 }' },
    peerUrl: (from, to, port) => (from === 'cars' && to === 'homes' ? front.url : `http://127.0.0.1:${port}/`),
  });
  await scanAll(world);
  const { host } = world.site('cars');
  for (let n = 0; n < USERS; n++) {
    await host.person.register({ email: `u${n}@example.com`, name: `U ${n}`, validation: false });
  }
  await settleByHand(world);
}, 90_000);
afterAll(async () => {
  await world.close();
  await front.close();
});
afterEach(async () => {
  front.rules = {};
  const { host } = world.site('cars');
  await host.write("UPDATE {user} SET s_website = ''");
  await settleByHand(world);
  if ((await world.differences()).length > 0) throw new Error('not equal again');
});

const editAll = async (bad: string): Promise<void> => {
  await world
    .site('cars')
    .host.write('UPDATE {user} SET s_website = IF(s_email = ?, ?, CONCAT(s_email, UUID()))', [bad, `${BAD} users`]);
  await drainAll(world.site('cars'));
};
const waiting = () =>
  world
    .site('cars')
    .db.query<{ state: string; code: string; message: string }>(
      'SELECT state, code, message FROM oc_account_sync_outbox',
    );
const differing = async (): Promise<number> =>
  new Set((await world.differences()).map((one) => JSON.stringify(one)).map((text) => /u\d+@/.exec(text)?.[0])).size;

const ofRequest = (act: Act) => ({ request: ({ text }: { text: string }) => (text.includes(BAD) ? act : undefined) });
/** The request was carried out; what comes back is something else. */
const ofAnswer = (act: Act) => {
  let isBad = false;
  return {
    request: ({ text }: { text: string }) => {
      isBad = text.includes(BAD);
      return undefined;
    },
    answer: () => (isBad ? act : undefined),
  };
};

const REFUSALS: readonly (readonly [string, Act])[] = [
  ['403 and a page', page(403, '403 Forbidden')],
  ['406', page(406)],
  ['400', page(400)],
  ['501', page(501)],
  ['200 and a page that says so', page(200, 'Request blocked')],
  ['a redirect to a page that says so', page(302, 'moved', { location: 'https://firewall.example.com/blocked' })],
  ['a connection that breaks off', breakOff],
];

/** The first try together with all others, and three more when it is due again. */
const tryFourTimes = async (act: Act): Promise<void> => {
  front.rules = ofRequest(act);
  await editAll('u7@example.com');
  await deliverAll(world.site('cars'));
  for (let n = 0; n < 3; n++) {
    await letTimePass(world.site('cars'));
    await deliverAll(world.site('cars'));
  }
};

describe('a user who is refused in front of the peer', { timeout: 60_000 }, () => {
  it('is told from the others at once, and tried again alone', async () => {
    front.rules = ofRequest(page(403));
    await editAll('u7@example.com');
    await deliverAll(world.site('cars'));
    expect(await waiting()).toMatchObject([{ state: 'w', message: expect.stringMatching(/^Only the request with/) }]);
    expect(await differing()).toBe(1);
    await letTimePass(world.site('cars'));
    front.seen.length = 0;
    await deliverAll(world.site('cars'));
    expect(front.seen.filter(({ text }) => text.includes(BAD))).toHaveLength(1);
  });

  it.each(REFUSALS)('with %s waits for a person in the end; all others arrive', async (_, act) => {
    await tryFourTimes(act);
    expect(await waiting()).toMatchObject([{ state: 'p', code: 'PEER_BLOCKED' }]);
    expect(await differing()).toBe(1);
    const { body } = await world.site('cars').admin('GET', '/v1/parked');
    expect(body['parked']).toMatchObject([
      { direction: 'out', code: 'PEER_BLOCKED', remedy: expect.stringMatching(/firewall/) },
    ]);
  });

  it('with 500 is tried again and again, alone: it may be an error of the peer that passes', async () => {
    await tryFourTimes(page(500));
    expect(await waiting()).toMatchObject([{ state: 'w', code: 'PEER_FAILED' }]);
    expect(await differing()).toBe(1);
  });

  it('with 413 waits for a person at once', async () => {
    front.rules = ofRequest(page(413, '413 Request Entity Too Large'));
    await editAll('u3@example.com');
    await deliverAll(world.site('cars'));
    expect(await waiting()).toMatchObject([{ state: 'p', code: 'BODY_TOO_LARGE' }]);
    expect(await differing()).toBe(1);
  });

  it('only in the answer waits too, and all others are confirmed', async () => {
    front.rules = ofAnswer(page(403));
    await editAll('u5@example.com');
    await deliverAll(world.site('cars'));
    expect(await waiting()).toMatchObject([{ state: 'w', code: 'PEER_BLOCKED' }]);
  });

  it('together with others of the kind leaves the rest through', async () => {
    front.rules = ofRequest(page(403));
    await world
      .site('cars')
      .host.write(
        `UPDATE {user} SET s_website = IF(s_email IN ('u1@example.com', 'u2@example.com', 'u15@example.com'), '${BAD}', CONCAT(s_email, UUID()))`,
      );
    await drainAll(world.site('cars'));
    await deliverAll(world.site('cars'));
    expect(await waiting()).toHaveLength(3);
    expect(await differing()).toBe(3);
  });

  it('is not blamed where everything is refused', async () => {
    front.rules = { request: () => page(403) };
    await editAll('u7@example.com');
    const site = await siteOf(world.site('cars'));
    await expect(site.deliver(site.route('homes'))).rejects.toMatchObject({ code: 'PEER_BLOCKED' });
    expect(await waiting()).toHaveLength(USERS);
    expect(new Set((await waiting()).map(({ state }) => state))).toEqual(new Set(['w']));
  });
});

describe('compressed requests that are refused in front of the peer', { timeout: 60_000 }, () => {
  it.each([
    ['415', page(415)],
    ['403', page(403)],
    ['a connection that breaks off', breakOff],
  ] as const)('with %s go uncompressed from then on, and that is said', async (_, act) => {
    front.rules = { request: ({ headers }) => (headers['content-encoding'] === undefined ? undefined : act) };
    await world.site('cars').stop();
    await world.site('cars').start();
    await editAll('nobody');
    await deliverAll(world.site('cars'));
    expect(await waiting()).toEqual([]);
    front.seen.length = 0;
    await editAll('nobody');
    await deliverAll(world.site('cars'));
    expect(await waiting()).toEqual([]);
    expect(
      front.seen.filter(({ method }) => method === 'POST').map(({ headers }) => headers['content-encoding']),
    ).toEqual([undefined]);
    const { body } = await world.site('cars').admin('GET', '/v1/logs?search=uncompressed');
    expect(body.logs?.[0]).toMatchObject({
      type: 'STREAM',
      peer: 'homes',
      response: expect.stringMatching(/^Compressed requests are refused/),
    });
  });
});

describe('a feed', { timeout: 60_000 }, () => {
  it.each([
    ['403 and a page', page(403)],
    ['a connection that breaks off', breakOff],
  ] as const)(
    'in whose answer one user is refused with %s brings the others, and says who is left out',
    async (_, act) => {
      const [cars, homes] = [world.site('cars'), world.site('homes')];
      front.rules = { answer: ({ text }) => (text.includes(BAD) ? act : undefined) };
      const id = await homes.host.idOf('u11@example.com');
      await homes.host.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = ?', [`${BAD} x`, id]);
      await drainAll(homes);
      await homes.db.query('DELETE FROM oc_account_sync_outbox');
      const feed = { restart: true, once: false, dryRun: false, overwrite: false };
      const sums = await (await siteOf(cars)).feed('homes', feed);
      expect(sums).toMatchObject({ complete: true, parked: 1, users: USERS });
      const { body } = await cars.admin('GET', '/v1/logs?type=FEED&status=ERR');
      expect(body.logs?.[0]).toMatchObject({
        peer: 'homes',
        response: expect.stringMatching(new RegExp(`user with ID ${id} of homes`)),
      });
      await homes.host.write("UPDATE {user} SET s_website = '' WHERE pk_i_id = ?", [id]);
    },
  );
});

describe('a user who is refused in front of a peer with the PHP plugin', { timeout: 90_000 }, () => {
  let db: TestDatabase;
  let jobs: PhpPlugin;
  let door: Front;
  let pair: World;
  beforeAll(async () => {
    door = await startFront(() => jobs.url);
    pair = await makeWorld(['boats'], {
      manual: true,
      peers: { boats: ['jobs'] },
      peerUrl: () => door.url,
      peerExtra: { 'boats.jobs': '    protocol: plugin' },
    });
    db = await createDatabase();
    const accounts = [{ name: 'boats', url: pair.site('boats').url, apiKey: keyOf('boats') }];
    jobs = await makePhpPlugin(await createHost(db, { name: 'jobs' }), { apiKey: keyOf('jobs'), accounts });
    await scanAll(pair);
  }, 60_000);
  afterAll(async () => {
    await pair.close();
    await jobs.close();
    await jobs.host.close();
    await db.drop();
    await door.close();
  });

  it.each([
    ['403 and a page', page(403)],
    ['200 and a page', page(200, 'blocked')],
    ['a connection that breaks off', breakOff],
  ] as const)('with %s waits, then for a person, and the others arrive', async (what, act) => {
    const boats = pair.site('boats');
    door.rules = { request: ({ text }) => (text.includes('DROP+TABLE') ? act : undefined) };
    const email = (n: number): string => `${what.replaceAll(/\W/g, '')}${n}@example.com`;
    for (let n = 0; n < 4; n++) await boats.host.person.register({ email: email(n), name: 'N', validation: false });
    await boats.host.write('UPDATE {user} SET s_website = ? WHERE s_email = ?', [BAD, email(1)]);
    await drainAll(boats);
    for (let n = 0; n < 3; n++) {
      await letTimePass(boats);
      await deliverAll(boats);
    }
    const arrived = [...(await jobs.host.users()).users.keys()];
    expect(arrived).toEqual(expect.arrayContaining([email(0), email(2), email(3)]));
    expect(arrived).not.toContain(email(1));
    expect(await boats.db.query('SELECT state, code FROM oc_account_sync_outbox')).toEqual([
      { state: 'p', code: 'PEER_BLOCKED' },
    ]);
    await boats.db.query('DELETE FROM oc_account_sync_outbox');
  });
});
