/** The PHP plugin found in the database of our own site. */
import { expect, test } from 'vitest';
import { readInstalledPlugin } from '../../src/plugin/installed.ts';
import { hostPool } from '../support/host-pool.ts';
import { DEFAULT_LIST, installPlugin, setActive } from '../support/installed-plugin.ts';

const KEY = 'a'.repeat(70);

test('a site without the plugin has none', async () => {
  const { db, catalog } = await hostPool();
  expect(await readInstalledPlugin(db, catalog)).toBeUndefined();
});

test('key, limit, custom columns, accounts and what waits are read', async () => {
  const { database, db, look } = await hostPool();
  await installPlugin(database, {
    settings: {
      apikey: KEY,
      feed_limit: '750',
      custom_columns: ' S_Whatsapp, s_fax,,s_fax',
      users_to_stream: '4,17',
      users_to_stream_removed: 'ana@example.com',
    },
    accounts: [
      { name: 'Site B', url: 'https://b.example.com/', key: 'b'.repeat(70), lastUserId: 4711 },
      {
        name: 'Café & Söhne',
        url: 'https://c.example.com',
        key: 'c'.repeat(70),
        columns: 's_name, s_email',
        lastUserId: null,
      },
    ],
  });
  expect(await readInstalledPlugin(db, await look())).toEqual({
    isActive: true,
    apiKey: KEY,
    feedLimit: 750,
    customColumns: ['s_whatsapp', 's_fax'],
    waiting: { users: 2, removals: 1 },
    accounts: [
      {
        name: 'Site B',
        peerName: 'site-b',
        url: 'https://b.example.com/',
        apiKey: 'b'.repeat(70),
        listed: DEFAULT_LIST.split(','),
        columns: 'default',
        lastUserId: 4711,
      },
      {
        name: 'Café & Söhne',
        peerName: 'cafe-sohne',
        url: 'https://c.example.com/',
        apiKey: 'c'.repeat(70),
        listed: ['s_name', 's_email'],
        columns: ['s_name', 's_email'],
        lastUserId: 0,
      },
    ],
  });
});

test('it is active only while Osclass loads it', async () => {
  const { database, db, look } = await hostPool();
  await installPlugin(database, { active: false });
  const catalog = await look();
  expect(await readInstalledPlugin(db, catalog)).toMatchObject({ isActive: false, apiKey: null, feedLimit: 200 });
  await setActive(database, true);
  expect(await readInstalledPlugin(db, catalog)).toMatchObject({ isActive: true });
});

test('a list of columns becomes one that a config may have', async () => {
  const { database, db, look } = await hostPool();
  const lists = [
    DEFAULT_LIST,
    `${DEFAULT_LIST},fk_c_country_code,fk_i_region_id,s_pass_code,user_business_profile`,
    `${DEFAULT_LIST},s_whatsapp`,
    's_email,s_name,s_secret,pk_i_id,i_gdpr_tc',
    '',
  ];
  const accounts = lists.map((columns, n) => ({ name: `s${n}`, url: `https://s${n}.example.com/`, key: KEY, columns }));
  await installPlugin(database, { accounts });
  const found = (await readInstalledPlugin(db, await look()))?.accounts.map((account) => account.columns);
  expect(found?.map((list) => (list === 'default' ? list : list.slice(-2)))).toEqual([
    'default',
    'default',
    ['b_company', 's_whatsapp'],
    ['s_name', 'i_gdpr_tc'],
    'default',
  ]);
});

test('names of accounts become names of peers, each its own', async () => {
  const { database, db, look } = await hostPool();
  const names = ['Homes', 'HOMES!', '***', '', 'x'.repeat(40), 'x'.repeat(50)];
  await installPlugin(database, { accounts: names.map((name) => ({ name, url: 'https://h.example.com/', key: KEY })) });
  const found = (await readInstalledPlugin(db, await look()))?.accounts.map((account) => account.peerName);
  expect(found).toEqual(['homes', 'homes-2', 'peer', 'peer-2', 'x'.repeat(32), `${'x'.repeat(30)}-2`]);
});

test('what is left of a plugin whose tables are gone is read without them', async () => {
  const { database, db, look } = await hostPool();
  await installPlugin(database, { settings: { apikey: KEY, feed_limit: 'many' } });
  await database.query('DROP TABLE oc_t_asc_account');
  expect(await readInstalledPlugin(db, await look())).toMatchObject({ apiKey: KEY, feedLimit: 200, accounts: [] });
});
