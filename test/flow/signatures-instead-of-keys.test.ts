/** "Signatures instead of keys" of docs/operating.md: both sides at different times, in either order, and back again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config, PeerConfig } from '../../src/config/config.ts';
import type { LoadedConfig } from '../../src/config/load.ts';
import { publicHalf } from '../../src/model/signing-key.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, signingKeyOf, type World } from '../support/world.ts';

let world: World;
/** What the file of each site says. */
const files = new Map<string, Config>();
const NAMES = ['cars', 'homes'] as const;
type Name = (typeof NAMES)[number];
const other = (name: Name): Name => (name === 'cars' ? 'homes' : 'cars');

beforeAll(async () => {
  world = await makeWorld(NAMES, { idle: true });
  for (const site of world.sites) {
    files.set(site.name, site.config);
    const read = async (): Promise<LoadedConfig> => ({
      config: files.get(site.name) as Config,
      file: 'config.yaml',
      secretFiles: [],
      holdsSecrets: false,
      problemAt: (path, message) => ({ file: 'config.yaml', line: null, column: null, path, message }),
    });
    await site.start({ edits: { read } });
  }
  await world.site('cars').host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await expectBothWays('keys');
}, 90_000);
afterAll(async () => world.close());

/** An edit on each site arrives on the other. */
async function expectBothWays(value: string): Promise<void> {
  for (const name of NAMES) {
    const [here, there] = [world.site(name).host, world.site(other(name)).host];
    await eventually(async () => expect(await here.user('ana@example.com')).toBeDefined(), { timeoutMs: 30_000 });
    const column = name === 'cars' ? 's_website' : 's_phone_land';
    await here.write(`UPDATE {user} SET ${column} = ? WHERE s_email = 'ana@example.com'`, [value]);
    await eventually(async () => expect((await there.user('ana@example.com'))?.[column]).toBe(value), {
      timeoutMs: 30_000,
    });
  }
}

/** An edit of the file of a site, once it is in force. */
async function edit(name: Name, change: (config: Config) => Config): Promise<void> {
  const next = change(files.get(name) as Config);
  files.set(name, next);
  const { site } = await world.site(name).open();
  world.site(name).daemon?.reload();
  await eventually(() => expect(site.config).toEqual(next));
}
const entry = (config: Config, change: Partial<PeerConfig>): Config => ({
  ...config,
  peers: config.peers.map((peer) => ({ ...peer, ...change })),
});
const makePair = (name: Name) =>
  edit(name, (config) => ({ ...config, site: { ...config.site, signingKey: signingKeyOf(name) } }));
const pin = (name: Name) =>
  edit(name, (config) => entry(config, { publicKeys: [publicHalf(signingKeyOf(other(name)))] }));
const unpin = (name: Name) => edit(name, (config) => entry(config, { publicKeys: [] }));

/** Whether the last calls of a site came with a signature, by the log of the other. */
async function isSigned(name: Name): Promise<boolean> {
  const { body } = await world.site(other(name)).admin('GET', `/v1/logs?type=FEED&peer=${name}&status=200&limit=1`);
  const { createHash } = await import('node:crypto');
  const der = Buffer.concat([
    Buffer.from('302a300506032b6570032100', 'hex'),
    Buffer.from(publicHalf(signingKeyOf(name)), 'base64'),
  ]);
  return body.logs?.[0]?.['key'] === createHash('sha256').update(der).digest('hex').slice(0, 8);
}

describe.each(NAMES)('%s begins', { timeout: 120_000 }, (first) => {
  const second = other(first);

  it('users go both ways after each step, and signed in the end', async () => {
    for (const [step, act] of [
      ['pair', makePair],
      ['pair there', () => makePair(second)],
      ['pin', pin],
      ['pin there', () => pin(second)],
    ] as const) {
      await act(first);
      await expectBothWays(`${first} ${step}`);
    }
    expect([await isSigned(first), await isSigned(second)]).toEqual([true, true]);
    const { body } = await world.site(first).admin('GET', '/v1/logs?search=SIGNATURE_INVALID&limit=1000');
    // A call now and then tries what is not taken yet; none of them is lost, and they do not go on.
    expect(body.logs?.length).toBeLessThan(20);
  });

  it('a new pair: the peer has both keys for a while, and nothing is refused', async () => {
    const { newSigningKey } = await import('../../src/model/signing-key.ts');
    const next = newSigningKey();
    const both = [publicHalf(signingKeyOf(first)), publicHalf(next)];
    await edit(second, (config) => entry(config, { publicKeys: both }));
    await edit(first, (config) => ({ ...config, site: { ...config.site, signingKey: next } }));
    await expectBothWays(`${first} new pair`);
    await edit(second, (config) => entry(config, { publicKeys: both.slice(1) }));
    await expectBothWays(`${first} new pair alone`);
    const { body } = await world.site(second).admin('GET', '/v1/logs?search=SIGNATURE_INVALID&limit=1000');
    expect(body.logs?.length).toBeLessThan(20);
    await edit(second, (config) => entry(config, { publicKeys: both }));
    await edit(first, (config) => ({ ...config, site: { ...config.site, signingKey: signingKeyOf(first) } }));
    await expectBothWays(`${first} old pair`);
  });

  it('back again: nothing is lost, and users go both ways with keys', async () => {
    await unpin(first);
    const column = 's_phone_mobile';
    const [here, there] = [world.site(first).host, world.site(second).host];
    await here.write(`UPDATE {user} SET ${column} = ? WHERE s_email = 'ana@example.com'`, [`${first} waits`]);
    await unpin(second);
    await eventually(async () => expect((await there.user('ana@example.com'))?.[column]).toBe(`${first} waits`), {
      timeoutMs: 30_000,
    });
    for (const name of NAMES) await edit(name, (config) => ({ ...config, site: { ...config.site, signingKey: null } }));
    await expectBothWays(`${first} back`);
    expect([await isSigned(first), await isSigned(second)]).toEqual([false, false]);
  });
});
