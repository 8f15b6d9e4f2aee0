/**
 * Somebody has a copy of the database, or reads the log as a peer or as an administrator of another site, and tries out guesses at
 * a weak key: no digest in it can be made of the guess alone, and none is the same on two sites.
 */
import { createHash } from 'node:crypto';
import { escapeId } from 'mysql2';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { keyOf, makeWorld, tokenOf, type World, type WorldSite } from '../../support/world.ts';

/** What somebody showed by mistake, such as the key of another link. */
const MISTAKEN = 'a-weak-key-of-homes-2026';
const NAMES = ['cars', 'homes', 'jobs'] as const;

let world: World;

beforeAll(async () => {
  world = await makeWorld(NAMES);
  await world.site('homes').host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await world.settle();
  for (const { url } of world.sites) {
    for (const key of [MISTAKEN, keyOf('homes')]) {
      await fetch(new URL('v1/logs', url), { headers: { authorization: `Bearer ${key}` } });
    }
  }
}, 90_000);
afterAll(async () => world.close());

/** Everything in the tables of the daemon, as one text. */
async function contentOf({ db }: WorldSite): Promise<string> {
  const tables = await db.query<{ name: string }>(
    `SELECT TABLE_NAME AS name FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE '%account\\_sync%'`,
    [db.name],
  );
  expect(tables.length).toBeGreaterThan(10);
  const texts: string[] = [];
  for (const { name } of tables) {
    const rows = await db.query(`SELECT * FROM ${escapeId(db.name)}.${escapeId(name)}`);
    texts.push(JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value)));
  }
  return texts.join('\n');
}

const digestsOf = async ({ db }: WorldSite): Promise<string[]> => {
  const rows = await db.query<{ digest: string }>(
    'SELECT DISTINCT key_digest AS digest FROM oc_account_sync_log WHERE key_digest IS NOT NULL',
  );
  return rows.map(({ digest }) => digest);
};

it('no digest of a key alone is in the database, in the log or in an answer', { timeout: 30_000 }, async () => {
  const keys = [MISTAKEN, ...NAMES.map(keyOf), ...NAMES.map(tokenOf)];
  const starts = keys.flatMap((key) =>
    ['sha256', 'sha1', 'md5', 'sha512'].map((algorithm) => createHash(algorithm).update(key).digest('hex').slice(0, 8)),
  );
  for (const site of world.sites) {
    await eventually(async () => expect((await digestsOf(site)).length).toBeGreaterThanOrEqual(2));
    const hello = await fetch(new URL('v1/hello', site.url), {
      headers: { authorization: `Bearer ${keyOf(site.name === 'cars' ? 'homes' : 'cars')}` },
    });
    expect(hello.status).toBe(200);
    const said = [await hello.text()];
    for (const path of ['/v1/logs?limit=100', '/v1/peers', '/health']) {
      said.push(JSON.stringify((await site.admin('GET', path)).body));
    }
    const text = [await contentOf(site), ...said].join('\n').toLowerCase();
    for (const digest of await digestsOf(site)) expect(text).toContain(digest);
    for (const key of keys) expect(text).not.toContain(key.toLowerCase());
    for (const start of starts) expect(text).not.toContain(start);
  }
});

it('the same key has another digest on each site', async () => {
  const all = await Promise.all(world.sites.map(digestsOf));
  expect(new Set(all.flat()).size).toBe(all.flat().length);
});
