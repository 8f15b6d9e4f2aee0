/** A request of the plugin is recorded and sent again later, byte for byte: it must put nothing back. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { KEY_A, KEY_B } from '../../support/captures.ts';
import { makeBcrypt, makeRandom } from '../../support/osclass/random.ts';
import { buildPhpForm } from '../../support/php-plugin/form.ts';
import { makePluginSite, type PluginSite } from '../../support/plugin-site.ts';

const random = makeRandom('replayed');
let site: PluginSite;
let count = 0;
/** The account at the plugin, as it is there now. */
let row: Record<string, string | number>;

beforeAll(async () => {
  site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
}, 60_000);
afterAll(() => site.close());

const changedAt = (minutes: number): string => `2026-03-01 10:${String(minutes).padStart(2, '0')}:00`;

async function send(form: string): Promise<void> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await fetch(site.daemon.url, { method: 'POST', headers, body: form });
  expect(answer.status).toBe(200);
}

const formOf = (changes: Record<string, string | number> = {}): string => {
  row = { ...row, ...changes };
  return buildPhpForm({ ascSync: 1, ascApiKey: KEY_A, ascAction: 'userStreamPost', ascData: row });
};
/** The account changes at the plugin, and its cron sends it. Gives what was sent. */
async function said(changes: Record<string, string | number> = {}): Promise<string> {
  const form = formOf(changes);
  await send(form);
  return form;
}
const here = async () => await site.host.user(String(row['s_email']));
const lastResult = async (): Promise<unknown> =>
  (await site.open.site.activity.query({ type: 'FEED', limit: 1 })).logs[0]?.content['result'];

beforeEach(() => {
  count += 1;
  row = {
    pk_i_id: 100 + count,
    s_email: `r${count}@example.com`,
    s_name: 'Rita',
    s_username: `rita${count}`,
    s_secret: 'abcdefgh',
    s_password: makeBcrypt(random),
    b_enabled: 1,
    b_active: 1,
    dt_reg_date: '2026-02-01 09:00:00',
    dt_mod_date: changedAt(0),
  };
});

test('the old password does not come back, nor anything else of the row', async () => {
  const first = await said();
  const second = await said({ s_name: 'Rita M', dt_mod_date: changedAt(1) });
  const now = makeBcrypt(random);
  await said({ s_password: now, s_name: 'Rita Moreno', s_phone_mobile: '42', dt_mod_date: changedAt(2) });
  for (const old of [first, second, first]) {
    await send(old);
    expect(await here()).toMatchObject({ s_password: now, s_name: 'Rita Moreno', s_phone_mobile: '42' });
    expect(await lastResult()).toBe('repeated');
  }
  // What is changed there later still arrives.
  await said({ s_name: 'Rita again', dt_mod_date: changedAt(3) });
  expect(await here()).toMatchObject({ s_name: 'Rita again' });
});

test('the old password does not come back though only the password was changed, of which a row bears no date', async () => {
  const first = await said();
  const now = makeBcrypt(random);
  await said({ s_password: now });
  await send(first);
  expect(await here()).toMatchObject({ s_password: now });
});

test('nor after it was changed here, and told', async () => {
  const first = await said();
  await said({ s_password: makeBcrypt(random), dt_mod_date: changedAt(1) });
  const now = await site.host.person.changePassword(String(row['s_email']));
  await site.open.site.drain();
  await send(first);
  expect(await here()).toMatchObject({ s_password: now });
});

test('a blocked account is not let in again', async () => {
  const first = await said();
  await said({ s_name: 'Rita M', dt_mod_date: changedAt(1) });
  await said({ b_enabled: 0 });
  await send(first);
  expect(await here()).toMatchObject({ b_enabled: 0, s_name: 'Rita M' });
});

test('the name of an account that was removed, and registered anew under its address, stays', async () => {
  const first = await said();
  await send(
    buildPhpForm({ ascSync: 1, ascApiKey: KEY_A, ascAction: 'userStreamPostRemoval', ascData: row['s_email'] }),
  );
  await said({
    pk_i_id: 5_000 + count,
    s_name: 'Other',
    s_password: makeBcrypt(random),
    dt_reg_date: '2026-03-05 09:00:00',
    dt_mod_date: '2026-03-05 09:00:00',
  });
  const before = await here();
  await send(first);
  expect(await here()).toEqual(before);
});

test('an honest plugin may say the same again, block and let in again, and go back to an old name', async () => {
  const first = await said();
  await send(first);
  expect(await lastResult()).toBe('unchanged');
  await said({ b_enabled: 0 });
  expect(await here()).toMatchObject({ b_enabled: 0 });
  // Which leaves no date in the row: byte for byte the first one.
  await said({ b_enabled: 1 });
  expect(await here()).toMatchObject({ b_enabled: 1 });
  await said({ s_name: 'Rosa', dt_mod_date: changedAt(1) });
  await said({ s_name: 'Rita', dt_mod_date: changedAt(2) });
  expect(await here()).toMatchObject({ s_name: 'Rita' });
});
