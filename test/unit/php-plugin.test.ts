/** The scripted plugin of the histories beside the recorded one: the same requests, and what it answers and stores. */
import { describe, expect, test } from 'vitest';
import { makePhpSite, type PhpPeer, type PhpSite } from '../histories/plugin/php.ts';
import { capture, KEY_A, KEY_B } from '../support/captures.ts';

interface Told {
  status: string;
  message: string;
  data: unknown[];
}

const formOf = (name: string): string => capture(name).request.body.toString('utf8');
const recorded = (name: string): Told => JSON.parse(capture(name).response.body.toString('utf8')) as Told;
const answered = (site: PhpSite, name: string): Told => JSON.parse(site.answer(formOf(name)).body) as Told;
/** Ids of the receiver are its own. */
const plain = ({ status, message, data }: Told): Told => ({
  status,
  data,
  message: message.replace(/(removal .*)#\d+/, '$1#'),
});

const siteB = (): PhpSite => {
  const peers: PhpPeer[] = [{ name: 'a', apiKey: KEY_A, lastUserId: 0 }];
  return makePhpSite({ apiKey: KEY_B, peers, locales: ['en_US', 'es_ES'], feedLimit: 5, firstId: 5001 });
};

describe('what came in on site B, in the recorded order', () => {
  const site = siteB();
  test.each([
    '01-stream-register-inactive',
    '02-stream-profile-full',
    '03-stream-admin-created',
    '04-stream-deactivated',
    '05-stream-activated',
    '06-stream-blocked',
    '07-stream-unblocked',
    '08-stream-locale-unknown-to-receiver',
    '09-stream-null-and-empty',
    '10-stream-numeric-looking',
    '11-stream-raw-markup',
    '12-stream-emoji',
    '13-stream-email-changed',
    '15-stream-profile-image',
    '17-removal',
    '19-removal-without-email',
    '30-err-wrong-key',
    '31-err-stream-missing-email',
    '32-err-stream-missing-id',
    '33-err-unknown-action',
    '29-err-missing-key',
    '38-stream-answer-lost',
  ])('%s', (name) => {
    expect(plain(answered(site, name))).toEqual(plain(recorded(name)));
  });
});

test('a change of address makes a second account, NULL leaves a value alone, numbers are rewritten', () => {
  const site = siteB();
  for (const name of ['03-stream-admin-created', '09-stream-null-and-empty', '10-stream-numeric-looking']) {
    answered(site, name);
  }
  const row = site.holderOf('ADM@example.com ');
  expect(row?.columns).toMatchObject({ s_phone_mobile: '491511234567', s_zip: '100000', s_address: '12' });
  answered(site, '13-stream-email-changed');
  expect([site.holderOf('adm@example.com')?.id, site.holderOf('adm.new@example.com')?.id]).toEqual([5001, 5002]);
  answered(site, '17-removal');
  expect(site.queue.removals).toEqual(new Set(['adm.new@example.com']));
  expect(plain(answered(site, '17-removal')).status).toBe('ERR');
});

test('a feed shows who is enabled and active, masked, in pages', () => {
  const site = siteB();
  site.peers[0] = { name: 'a', apiKey: KEY_A, lastUserId: 0 };
  // The recorded request is B's to A.
  const asked = (after: number): Told =>
    JSON.parse(
      site.answer(`ascSync=1&ascApiKey=${KEY_A}&ascAction=userFeedRequest&ascLastUserId=${after}`).body,
    ) as Told;
  expect(asked(0)).toEqual(recorded('20-feed-no-users'));
  const { data, message } = recorded('21-feed-fewer-than-limit');
  for (const one of data as Record<string, string | null>[]) {
    const { user_description: texts, user_business_profile: _, pk_i_id: id, ...columns } = one;
    const hash = '$2y$10$rbPs92KTd36hlzZXTJjayOdje1sxRKiAnKP/u4XSmxmWD1OAEKh3S';
    const row = {
      id: Number(id),
      columns: { ...columns, s_password: hash },
      texts: new Map(),
      lineage: new Set<string>(),
    };
    for (const text of (texts ?? []) as unknown as Record<string, string>[]) {
      row.texts.set(text['fk_c_locale_code'], text['s_info']);
    }
    site.rows.set(row.id, row);
  }
  const told = asked(0);
  expect(told.message).toBe(message);
  expect(told.data.map((one) => Object.keys(one as object))).toEqual(data.map((one) => Object.keys(one as object)));
  const unmasked = (list: unknown[]): unknown[] => list.map((one) => ({ ...(one as object), s_password: '' }));
  expect(unmasked(told.data)).toEqual(unmasked(data));
  expect((told.data[0] as Record<string, string>)['s_password']).toMatch(/^.{10}\*{10}.{10}\.{3}$/);
});

test('a run sends rows first, removals after them, each once, and forgets both whatever happened', async () => {
  const site = siteB();
  const row = site.insert({ s_email: 'ana@example.com', dt_reg_date: '2020-01-01 00:00:00' });
  site.queue.users.add(row.id);
  site.remove(row);
  const again = site.insert({ s_email: 'ana@example.com', dt_reg_date: '2026-01-01 00:00:00' });
  site.queue.users.add(again.id);
  const sent: string[] = [];
  await site.cron(async (_peer, form) => {
    sent.push(new URLSearchParams(form).get('ascAction') ?? '');
  });
  expect(sent).toEqual(['userStreamPost', 'userStreamPostRemoval']);
  expect([site.queue.users.size, site.queue.removals.size]).toEqual([0, 0]);
});
