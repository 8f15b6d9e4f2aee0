/**
 * Markup and links that run programs, in texts that Osclass shows as they are. From a plugin they are stored as a form would
 * store them, and stay so; between daemons they pass unchanged, unless the entry of the peer says otherwise.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uidOfEmail } from '../../../src/model/uid.ts';
import { asForm } from '../../../src/osclass/form-text.ts';
import { encodeForm } from '../../../src/plugin/wire.ts';
import { deliverAll, scanAll, siteOf } from '../../support/by-hand.ts';
import { KEY_A, KEY_B } from '../../support/captures.ts';
import { makePluginSite, type PluginSite } from '../../support/plugin-site.ts';
import { keyOf, makeWorld, type World } from '../../support/world.ts';

describe('a form stores', () => {
  it.each([
    ['<img src=x onerror=alert(1)>Ana', 'Ana'],
    ['<script>alert(1)</script>Ana', 'Ana'],
    ['Ana <svg/onload=alert(1)//', 'Ana &lt;svg/onload=alert(1)//'],
    ['<<b>script>alert(1)<</b>/script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['<!-- <b> -->A<sc<script></script>ript>', 'Aript&gt;'.replace('ript&gt;', '')],
    ['1 < 2 & 3 > 2', '1 &lt; 2 & 3 &gt; 2'],
    ['Zo&euml; & Söhne "q"', 'Zo&euml; & Söhne "q"'],
  ])('the name %j as %j', (text, stored) => {
    expect(asForm('s_name', text)).toBe(stored);
    expect(asForm('s_name', stored)).toBe(stored);
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' \u0001javascript:alert(1)',
    'java\tscript:alert(1)',
    'java\r\nscript:alert(1)',
    '&#106;avascript:alert(1)',
    '&#x6A avascript:alert(1)',
    'javascript&colon;alert(1)',
    'java&Tab;script:alert(1)',
    'javascript:https://example.com/',
    'data:text/html;base64,PHNjcmlwdD4=',
    'vbscript:x',
    'blob:https://example.com/1',
    'file:///etc/passwd',
  ])('the website %j as none', (text) => expect(asForm('s_website', text)).toBe(''));

  it.each([
    ['https://example.com/?a=1&b=ü#c', 'https://example.com/?a=1&b=ü#c'],
    ['www.example.com', 'www.example.com'],
    ['example.com:8080/path:with', 'example.com:8080/path:with'],
    ['HTTP://example.com', 'HTTP://example.com'],
    ['https://example.com/" onmouseover="alert(1)', 'https://example.com/ onmouseover=alert(1)'],
    ['', ''],
  ])('the website %j as %j', (text, stored) => {
    expect(asForm('s_website', text)).toBe(stored);
    expect(asForm('s_website', stored)).toBe(stored);
  });

  it('what is no text of a person as it is', () => {
    expect(asForm('s_password', '<b>')).toBe('<b>');
    expect(asForm('s_custom', '<b>')).toBe('<b>');
  });
});

const EVIL = { s_name: '<img src=x onerror=alert(1)>Ana', s_city: '<b>Bonn</b>', s_website: 'java\tscript:alert(1)' };
const CLEAN = { s_name: 'Ana', s_city: 'Bonn', s_website: '' };

describe('from a plugin', () => {
  let site: PluginSite;
  beforeAll(async () => {
    site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
  }, 60_000);
  afterAll(() => site.close());

  const send = async (more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const row = { pk_i_id: '77', s_email: 'eve@example.com', s_username: 'eve', ...EVIL, ...more };
    const info = [
      ['ascData[user_description][0][fk_c_locale_code]', 'en_US'],
      ['ascData[user_description][0][s_info]', '<script>alert(1)</script>Hello'],
    ] as const;
    const fields = Object.entries(row).map(([name, value]) => [`ascData[${name}]`, value] as const);
    const head = [['ascSync', '1'] as const, ['ascApiKey', KEY_A] as const, ['ascAction', 'userStreamPost'] as const];
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const body = encodeForm([...head, ...fields, ...info]);
    expect((await fetch(site.daemon.url, { method: 'POST', body, headers })).status).toBe(200);
  };
  const waiting = async (): Promise<number> =>
    Number((await site.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_outbox'))[0]?.n);
  const infos = (): Promise<unknown[]> => site.db.query('SELECT s_info FROM oc_t_user_description');

  it('they are stored clean, and the same row again is no change, in neither direction', async () => {
    await send();
    expect(await site.host.user('eve@example.com')).toMatchObject(CLEAN);
    expect(await infos()).toEqual([{ s_info: 'Hello' }]);
    const told = await waiting();
    for (let round = 0; round < 3; round += 1) {
      await send();
      await site.open.site.drain();
    }
    expect(await site.host.user('eve@example.com')).toMatchObject(CLEAN);
    expect(await waiting()).toBe(told);
  });

  it('what is changed here stays, though the plugin repeats what it has', async () => {
    await site.host.write("UPDATE {user} SET s_name = 'Eva', s_website = 'https://eva.example.com' WHERE s_email = ?", [
      'eve@example.com',
    ]);
    await site.open.site.drain();
    await send({ s_phone_mobile: '1' });
    expect(await site.host.user('eve@example.com')).toMatchObject({
      s_name: 'Eva',
      s_website: 'https://eva.example.com',
    });
  });

  it('a name of which nothing is left is as if it had not been sent', async () => {
    await send({ s_name: '<b></b>' });
    expect(await site.host.user('eve@example.com')).toMatchObject({ s_name: 'Eva' });
  });
});

describe('between daemons', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(['cars', 'homes', 'evil'], {
      manual: true,
      peerExtra: { 'cars.evil': '    sanitize: osclass\n    relay: true\n' },
    });
    await scanAll(world);
  }, 90_000);
  afterAll(() => world.close());

  const stream = async (to: string): Promise<unknown> => {
    const registers = {
      s_email: { values: { s_email: 'eve@example.com' } },
      s_name: { values: { s_name: EVIL.s_name } },
      s_website: { values: { s_website: EVIL.s_website } },
      s_phone_land: { values: { s_phone_land: '1' } },
    };
    const uids = [uidOfEmail('eve@example.com')];
    const record = { kind: 'user', uids, email: 'eve@example.com', born: '1700000000000-1-100-evil', registers };
    const headers = { authorization: `Bearer ${keyOf('evil')}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ site: 'evil', records: [record] });
    const response = await fetch(new URL('v1/stream', world.site(to).url), { method: 'POST', headers, body });
    return ((await response.json()) as { results: unknown[] }).results[0];
  };

  it('they pass unchanged, unless the entry of the peer says otherwise', async () => {
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    expect(await stream('cars')).toMatchObject({ result: 'applied' });
    expect(await stream('homes')).toMatchObject({ result: 'applied' });
    expect(await cars.host.user('eve@example.com')).toMatchObject({ s_name: 'Ana', s_website: '' });
    const raw = { s_name: EVIL.s_name, s_website: EVIL.s_website };
    expect(await homes.host.user('eve@example.com')).toMatchObject(raw);
    const { body } = await cars.admin('GET', '/v1/logs?search=VALUE_ALTERED');
    expect(body.logs).not.toEqual([]);
  });

  it('what was cleaned here is neither sent back nor passed on, and comes to no end of messages', async () => {
    const [cars, homes] = [world.site('cars'), world.site('homes')];
    for (let round = 0; round < 3; round += 1) {
      for (const one of [cars, homes]) await (await siteOf(one)).drain();
      await deliverAll(cars, 'homes');
      await deliverAll(homes, 'cars');
      expect(await stream('cars')).toMatchObject({ result: 'unchanged' });
    }
    expect(await cars.host.user('eve@example.com')).toMatchObject({ s_name: 'Ana', s_website: '' });
    expect(await homes.host.user('eve@example.com')).toMatchObject({ s_name: EVIL.s_name, s_website: EVIL.s_website });
  });
});
