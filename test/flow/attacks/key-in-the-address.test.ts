/** An account is removed by a GET with the key in the address, which stands in the log of every proxy on the way. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KEY_A, KEY_B } from '../../support/captures.ts';
import { buildPhpForm } from '../../support/php-plugin/form.ts';
import { makePluginSite, type PluginSite } from '../../support/plugin-site.ts';

const VICTIM = 'ana@example.com';
let site: PluginSite;

beforeAll(async () => {
  site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
  await site.host.person.register({ email: VICTIM, name: 'Ana', validation: false });
  await site.open.site.drain();
}, 60_000);
afterAll(() => site.close());

const query = buildPhpForm({ ascSync: 1, ascApiKey: KEY_A, ascAction: 'userStreamPostRemoval', ascData: VICTIM });
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test.each([
  ['GET', {}, 404],
  ['HEAD', {}, 404],
  ['PUT', { headers: form, body: query }, 404],
  ['POST', { headers: form, body: '' }, 404],
  ['POST', { headers: form, body: 'ascSync=1' }, 401],
  ['POST', { headers: form, body: buildPhpForm({ ascSync: 1, ascApiKey: KEY_A }) }, 400],
  ['POST', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: query }, 415],
] as const)('%s with the key in the address removes nobody', async (method, how, status) => {
  for (const path of ['', 'index.php']) {
    const answer = await fetch(`${site.daemon.url}${path}?${query}`, { method, ...how });
    expect(answer.status).toBe(status);
  }
  expect(await site.host.user(VICTIM)).toBeDefined();
});

test('and the key is in no log of ours', async () => {
  const { logs } = await site.open.site.activity.query({ limit: 100 });
  expect(logs.length).toBeGreaterThan(0);
  expect(JSON.stringify(logs)).not.toContain(KEY_A);
});
