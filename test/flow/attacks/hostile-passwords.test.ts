/**
 * A peer that is allowed to set passwords sets what is none, or what takes the host's PHP hours to look at. On no way in is it
 * stored; the rest of the record is.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isWholeHash, NO_PASSWORD } from '../../../src/model/password-hash.ts';
import { uidOfEmail } from '../../../src/model/uid.ts';
import { deliverAll, scanAll, siteOf } from '../../support/by-hand.ts';
import { KEY_A, KEY_B } from '../../support/captures.ts';
import { eventually } from '../../support/eventually.ts';
import { makePluginSite, type PluginSite } from '../../support/plugin-site.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../../support/world.ts';
import { encodeForm } from '../../../src/plugin/wire.ts';

const SALTED = 'rbPs92KTd36hlzZXTJjayOdje1sxRKiAnKP/u4XSmxmWD1OAEKh3S';
const ARGON = 'c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI';
const SHA512 = 'a'.repeat(86);

const HOSTILE: readonly (readonly [what: string, hash: string])[] = [
  ['bcrypt of cost 31', `$2y$31$${SALTED}`],
  ['bcrypt of cost 17', `$2y$17$${SALTED}`],
  ['bcrypt of cost 00', `$2y$00$${SALTED}`],
  ['bcrypt of cost 03', `$2y$03$${SALTED}`],
  ['bcrypt of no version', `$2$10$${SALTED}`],
  ['bcrypt of a version that is none', `$2z$10$${SALTED}`],
  ['bcrypt that is cut', `$2y$10$${SALTED.slice(0, -1)}`],
  ['bcrypt with a zero byte behind', `$2y$10$${SALTED.slice(0, -1)}\0`],
  ['bcrypt with a line end behind', `$2y$10$${SALTED}\n`],
  ['a word', 'hunter2'],
  ['MD5', '5f4dcc3b5aa765d61d8327deb882cf99'],
  ['SHA-1 in capitals', 'DA39A3EE5E6B4B0D3255BFEF95601890AFD80709'],
  ['DES', 'rl.3StKT.4T8M'],
  ['argon2 of 4 GiB', `$argon2id$v=19$m=4194304,t=4,p=1$${ARGON}`],
  ['argon2 of a million passes', `$argon2id$v=19$m=65536,t=1000000,p=1$${ARGON}`],
  ['argon2 of 10,000 threads', `$argon2id$v=19$m=262144,t=4,p=10000$${ARGON}`],
  ['argon2 without costs', `$argon2id$v=19$${ARGON}`],
  ['SHA-512 of 999,999,999 rounds', `$6$rounds=999999999$saltsalt$${SHA512}`],
  ['blanks', ' '.repeat(60)],
  ['a placeholder of another program', '!'],
  ['400 KB', `$2y$10$${SALTED.repeat(8000)}`],
];

describe.each([
  ['bcrypt as Osclass writes it', `$2y$15$${SALTED}`],
  ['bcrypt as the plugin tests write it', `$2a$04$${SALTED}`],
  ['bcrypt of old PHP', `$2x$10$${SALTED}`],
  ['SHA-1 of versions before 3.3', 'da39a3ee5e6b4b0d3255bfef95601890afd80709'],
  ['argon2 as PHP writes it', `$argon2id$v=19$m=65536,t=4,p=1$${ARGON}`],
  ['MD5 of crypt', '$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/'],
  ['SHA-512 of crypt', `$6$saltsalt$${SHA512}`],
  ['SHA-512 of crypt with rounds', `$6$rounds=5000$saltsalt$${SHA512}`],
])('%s', (_what, hash) => {
  it('is a hash that is stored', () => expect(isWholeHash(hash)).toBe(true));
});

let world: World;
let cars: WorldSite;
let evil: WorldSite;
let count = 0;
let email = '';
let before = '';

beforeAll(async () => {
  world = await makeWorld(['cars', 'evil'], { manual: true });
  cars = world.site('cars');
  evil = world.site('evil');
  for (const { db } of world.sites) await db.query('ALTER TABLE oc_t_user MODIFY s_password VARCHAR(255) NOT NULL');
  for (const one of world.sites) await (await siteOf(one)).refresh?.();
  await scanAll(world);
}, 90_000);
afterAll(() => world.close());

const hashHere = async (address = email): Promise<string> => String((await cars.host.user(address))?.s_password);

beforeEach(async () => {
  email = `p${++count}@example.com`;
  await cars.host.person.register({ email, name: 'Ana', validation: false });
  await (await siteOf(cars)).drain();
  before = await hashHere();
});

async function stream(hash: string | null, to = email, name = 'Changed'): Promise<Record<string, unknown>> {
  const stamp = `${Date.now() + 1000}-1-100-evil`;
  const registers = {
    s_email: { values: { s_email: to } },
    s_name: { values: { s_name: name } },
    password: { values: { s_password: hash } },
  };
  const proof = { site: 'evil', at: Date.now() };
  const record = { kind: 'user', uids: [uidOfEmail(to)], email: to, born: stamp, proof, registers };
  const response = await fetch(new URL('v1/stream', cars.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf('evil')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'evil', records: [record] }),
  });
  const { results } = (await response.json()) as { results: Record<string, unknown>[] };
  return results[0] ?? {};
}

const parkedIds = async (): Promise<string[]> => {
  const { body } = await cars.admin('GET', '/v1/parked');
  return (body['parked'] as { id: string }[]).map(({ id }) => id);
};

describe('in a stream', () => {
  it.each(HOSTILE)('%s is not stored, and the rest is', async (_what, hash) => {
    expect(await stream(hash)).toMatchObject({ result: 'parked', code: 'VALUE_UNSTORABLE' });
    expect(await cars.host.user(email)).toMatchObject({ s_name: 'Changed', s_password: before });
  });

  it.each([
    ['nothing', ''],
    ['what stands where no password was sent', NO_PASSWORD],
  ])('%s does not shut out who has a password', async (_what, hash) => {
    expect(await stream(hash)).toMatchObject({ code: 'VALUE_UNSTORABLE' });
    expect(await cars.host.user(email)).toMatchObject({ s_name: 'Changed', s_password: before });
  });

  it('a new account with such a password has none', async () => {
    const strange = `new${count}@example.com`;
    expect(await stream('hunter2', strange)).toMatchObject({ result: 'parked', code: 'VALUE_UNSTORABLE' });
    expect(await cars.host.user(strange)).toMatchObject({ s_name: 'Changed', s_password: NO_PASSWORD });
  });

  it('an account that has none there has none here, and nobody is told', async () => {
    for (const [at, hash] of ['', NO_PASSWORD].entries()) {
      const strange = `none${at}-${count}@example.com`;
      expect(await stream(hash, strange)).toMatchObject({ result: 'applied' });
      expect(await hashHere(strange)).toBe(NO_PASSWORD);
    }
  });

  it('is not stored when it is tried again, by whomever', async () => {
    const others = await parkedIds();
    await stream('hunter2');
    const [id] = (await parkedIds()).filter((one) => !others.includes(one));
    const { body } = await cars.admin('POST', `/v1/parked/${id}/retry`);
    expect(body).toMatchObject({ result: 'parked', code: 'VALUE_UNSTORABLE' });
    expect(await hashHere()).toBe(before);
    expect(await parkedIds()).toContain(id);
  });

  it('a whole hash that comes later is stored', async () => {
    await stream('hunter2');
    const whole = `$2y$10$${SALTED}`;
    expect(await stream(whole, email, 'Again')).toMatchObject({ result: 'applied' });
    expect(await cars.host.user(email)).toMatchObject({ s_name: 'Again', s_password: whole });
  });
});

describe('in a feed, and in what a daemon sends by itself', () => {
  it.each([HOSTILE[0], HOSTILE[9], HOSTILE[10]] as (readonly [string, string])[])(
    '%s is not stored',
    async (_what, hash) => {
      const there = `fed${count}@example.com`;
      await evil.host.person.register({ email: there, name: 'Fed', validation: false });
      await evil.host.write('UPDATE {user} SET s_password = ? WHERE s_email = ?', [hash, there]);
      await scanAll(world);
      await (await siteOf(evil)).drain();
      await deliverAll(evil, 'cars');
      expect(await cars.host.user(there)).toMatchObject({ s_name: 'Fed', s_password: NO_PASSWORD });
      expect(await cars.admin('POST', '/v1/peers/evil/feed')).toMatchObject({ status: 202 });
      await eventually(async () => {
        const feed = await cars.admin('GET', '/v1/peers/evil/feed');
        expect(feed).toMatchObject({ status: 200, body: { running: false, error: null } });
      });
      expect(await hashHere(there)).toBe(NO_PASSWORD);
    },
  );
});

describe('in a row of the plugin', () => {
  let site: PluginSite;
  beforeAll(async () => {
    site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
    await site.db.query('ALTER TABLE oc_t_user MODIFY s_password VARCHAR(255) NOT NULL');
  }, 60_000);
  afterAll(() => site.close());

  it.each(HOSTILE.filter(([what]) => what !== '400 KB'))('%s is not stored, and the rest is', async (_what, hash) => {
    const row = { pk_i_id: String(5000 + count), s_email: email, s_username: `u${count}`, s_password: hash };
    const send = async (name: string): Promise<unknown> => {
      const fields = Object.entries({ ...row, s_name: name }).map(
        ([key, value]) => [`ascData[${key}]`, value] as const,
      );
      const body = encodeForm([['ascSync', '1'], ['ascApiKey', KEY_A], ['ascAction', 'userStreamPost'], ...fields]);
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await fetch(site.daemon.url, { method: 'POST', body, headers })).status;
    };
    expect(await send('First')).toBe(200);
    expect(await site.host.user(email)).toMatchObject({ s_name: 'First', s_password: NO_PASSWORD });
    const own = `$2y$10$${SALTED}`;
    await site.host.write('UPDATE {user} SET s_password = ? WHERE s_email = ?', [own, email]);
    await send('Second');
    expect(await site.host.user(email)).toMatchObject({ s_name: 'Second', s_password: own });
  });
});
