/**
 * Texts that once took seconds to look at: of a few hundred kilobytes, or a few hundred bytes once they are compressed.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uidOfEmail } from '../../../src/model/uid.ts';
import { KEY_A, KEY_B } from '../../support/captures.ts';
import { scanAll } from '../../support/by-hand.ts';
import { makePluginSite, type PluginSite } from '../../support/plugin-site.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../../support/world.ts';

const KB = 1000;
/** `/health/live` is promised within a second, whatever comes; nothing that holds this thread for longer may be in between. */
const MOST_MS = 1000;

/** Does it, and gives what came of it, and how long this thread, which is the daemon's too, computed for that. */
async function computing<T>(act: () => Promise<T>): Promise<[T, number]> {
  const began = process.threadCpuUsage();
  const done = await act();
  const { user, system } = process.threadCpuUsage(began);
  return [done, (user + system) / 1000];
}

describe('in a record of a daemon', () => {
  let world: World;
  let cars: WorldSite;
  beforeAll(async () => {
    world = await makeWorld(['cars', 'evil'], { manual: true });
    cars = world.site('cars');
    await scanAll(world);
  }, 90_000);
  afterAll(() => world.close());

  it.each([
    ['200,000 zeros in a coordinate', 'address', { d_coord_lat: `1.${'0'.repeat(200 * KB)}1` }],
    ['200,000 zeros before a coordinate', 'address', { d_coord_lat: `${'0'.repeat(200 * KB)}x` }],
    ['400,000 zeros behind a date', 'dt_reg_date', { dt_reg_date: `2024-01-01 10:00:00.${'0'.repeat(400 * KB)}1` }],
    ['a name of 65,000 digits', 's_name', { s_name: `${'1'.repeat(65 * KB)}x` }],
    ['a description of 65,000 digits', 'user_description:en_US', { s_info: `${'1'.repeat(65 * KB)}x` }],
    ['megabytes of bytes', 's_name', { s_name: { hex: '00'.repeat(2_000 * KB) } }],
    ['a status of a million digits', 'status', { b_enabled: '9'.repeat(1_000 * KB), b_active: '1' }],
    ['a password of a megabyte', 'password', { s_password: `$2y$10$${'a'.repeat(1_000 * KB)}` }],
  ])('%s', async (what, register, values) => {
    const email = `${what.replaceAll(/\W/g, '')}@example.com`;
    const born = `${Date.now()}-1-100-evil`;
    const registers = { s_email: { values: { s_email: email } }, [register]: { values } };
    const record = { kind: 'user', uids: [uidOfEmail(email)], email, born, registers };
    const body = gzipSync(JSON.stringify({ site: 'evil', records: [record] }));
    const headers = {
      authorization: `Bearer ${keyOf('evil')}`,
      'content-type': 'application/json',
      'content-encoding': 'gzip',
    };
    const [status, tookMs] = await computing(async () => {
      const response = await fetch(new URL('v1/stream', cars.url), { method: 'POST', headers, body });
      return response.status;
    });
    expect([200, 413, 422]).toContain(status);
    expect(tookMs).toBeLessThan(MOST_MS);
  });
});

describe('in a row of the plugin', () => {
  let site: PluginSite;
  beforeAll(async () => {
    site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
  }, 60_000);
  afterAll(() => site.close());

  it.each([
    ['beginnings of comments', 's_name', '<!--'.repeat(50 * KB)],
    ['beginnings of tags', 's_name', '<a'.repeat(100 * KB)],
    ['beginnings of scripts', 's_name', '<script>'.repeat(25 * KB)],
    ['ends of scripts that are none', 's_name', `${'<script>'.repeat(12 * KB)}${'</script '.repeat(12 * KB)}`],
    ['digits, in a description', 'user_description', `${'1'.repeat(65 * KB)}x`],
    ['digits, in a name', 's_name', `${'1'.repeat(200 * KB)}x`],
    ['a coordinate', 'd_coord_lat', `1.${'0'.repeat(200 * KB)}1`],
    ['blanks', 's_name', ' '.repeat(200 * KB)],
    ['entities', 's_name', '&am'.repeat(60 * KB)],
    ['carriage returns', 's_name', '\r'.repeat(200 * KB)],
    ['a column nobody has', 's_nobody', '<!--'.repeat(50 * KB)],
    ['a website', 's_website', `${'&#'.repeat(100 * KB)}:`],
  ])('%s', async (_what, column, text) => {
    const name = column === 'user_description' ? 'ascData[user_description][0][s_info]' : `ascData[${column}]`;
    const fields = new URLSearchParams([
      ['ascSync', '1'],
      ['ascApiKey', KEY_A],
      ['ascAction', 'userStreamPost'],
      ['ascData[pk_i_id]', '7'],
      ['ascData[s_email]', 'eve@example.com'],
      ['ascData[user_description][0][fk_c_locale_code]', 'en_US'],
      [name, text],
    ]);
    const [status, tookMs] = await computing(async () => {
      const response = await fetch(site.daemon.url, { method: 'POST', body: fields });
      return response.status;
    });
    expect([200, 400, 413]).toContain(status);
    expect(tookMs).toBeLessThan(MOST_MS);
  });
});
