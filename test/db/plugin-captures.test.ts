/** Each recorded request, byte for byte, to a daemon: what it answers, and what becomes of the database. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { capture, captureNames, KEY_A, KEY_B, sendRaw, type Message } from '../support/captures.ts';
import { makePluginSite, type PluginSite } from '../support/plugin-site.ts';

interface Told {
  status: string;
  message: string;
  data: unknown[];
}

interface Expected {
  /** Of the daemon, where it is another one than the recorded 200. */
  readonly http?: number;
  /** What differs from the recorded answer, and has to. */
  readonly instead?: Partial<Told>;
  /** Before the request. */
  readonly given?: (site: PluginSite) => Promise<void>;
  /** After it. */
  readonly effect?: (site: PluginSite) => Promise<void>;
  /** The rows of a feed bear the whole hash, and nothing that stays with us; their columns are the same. */
  readonly isFeed?: true;
}

const tellOf = (message: Message): Told => JSON.parse(message.body.toString('utf8')) as Told;

const rowOf = async ({ host }: PluginSite, email: string): Promise<Record<string, unknown>> =>
  (await host.user(email)) ?? {};

const countOf = async ({ host }: PluginSite): Promise<number> =>
  Number((await host.select('SELECT COUNT(*) AS n FROM {user}'))[0]?.n);

const infoOf = async ({ host }: PluginSite, email: string): Promise<Record<string, unknown>> => {
  const rows = await host.select(
    `SELECT d.fk_c_locale_code AS locale, d.s_info AS info FROM {user_description} d
     JOIN {user} u ON u.pk_i_id = d.fk_i_user_id WHERE u.s_email = ?`,
    [email],
  );
  return Object.fromEntries(rows.map((row) => [String(row.locale), row.info]));
};

/** The users of a recorded feed, as they must have been stored where it came from. */
async function store({ host }: PluginSite, rows: readonly unknown[], hash: string): Promise<void> {
  for (const row of rows as Record<string, unknown>[]) {
    const { user_description: texts, user_business_profile: _, ...columns } = row;
    const { fk_i_region_id: _r, fk_i_city_id: _c, fk_c_country_code: _k, ...plain } = columns;
    const values = { ...plain, s_password: hash };
    const names = Object.keys(values);
    await host.write(
      `INSERT INTO {user} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
      Object.values(values),
    );
    for (const text of texts as Record<string, string>[]) {
      await host.write('INSERT INTO {user_description} (fk_i_user_id, fk_c_locale_code, s_info) VALUES (?, ?, ?)', [
        String(row['pk_i_id']),
        text['fk_c_locale_code'] ?? '',
        text['s_info'] ?? '',
      ]);
    }
  }
}

/** What has to be equal of two feeds: all but the password, what never leaves a site, and the order of columns. */
const ofFeed = (told: Told): unknown => ({
  ...told,
  data: (told.data as Record<string, unknown>[]).map((row) => [
    Object.keys(row).toSorted(),
    ...COMPARED.map((column) => row[column]),
  ]),
});

/** All but our own id of the account that was removed. */
const ofOthers = (told: Told): unknown => ({ ...told, message: told.message.replace(/(removal .*)#\d+/, '$1#') });

const passwordsOf = (told: Told): unknown[] =>
  (told.data as Record<string, unknown>[])
    .flatMap((row) => (typeof row === 'object' ? [row['s_password']] : []))
    .filter((hash) => hash !== undefined);

const recorded = (name: string): Record<string, unknown>[] =>
  tellOf(capture(name).response).data as Record<string, unknown>[];

/** Members 01 – 25 with ids from 106, as site A has them: 04 is not activated, 09 is blocked. Or those of B, which lacks both. */
async function storeMembers(site: PluginSite, of: 'A' | 'B'): Promise<void> {
  const [model] = recorded('26-feed-page-5-of-5');
  let id = of === 'A' ? 106 : 5108;
  for (let n = 1; n <= 25; n++) {
    if (of === 'B' && (n === 4 || n === 9)) continue;
    const two = String(n).padStart(2, '0');
    const known = ['24-feed-page-1-of-5', '25-feed-page-2-of-5', '26-feed-page-5-of-5']
      .flatMap(recorded)
      .find((row) => row['s_email'] === `m${two}@example.com`);
    const row = {
      ...(known ?? { ...model, s_name: `Member ${two}`, s_username: `member${two}`, s_email: `m${two}@example.com` }),
      pk_i_id: String(id++),
      b_active: n === 4 ? '0' : '1',
      b_enabled: n === 9 ? '0' : '1',
    };
    await store(site, [row], HASH);
  }
}

const empty = async ({ host, db }: PluginSite): Promise<void> => {
  await host.write('DELETE FROM {user_description}');
  await host.write('DELETE FROM {user}');
  for (const table of ['queue', 'user', 'uid', 'tombstone', 'outbox', 'parked', 'seen'])
    await db.query(`DELETE FROM oc_account_sync_${table}`);
};

const HASH = '$2y$10$rbPs92KTd36hlzZXTJjayOdje1sxRKiAnKP/u4XSmxmWD1OAEKh3S';
const COMPARED =
  'pk_i_id s_email s_name s_username s_zip b_enabled b_active d_coord_lat dt_reg_date user_description'.split(' ');
const ZOE = 'zoe@example.com';
const ADM = 'adm@example.com';
const NEW = 'adm.new@example.com';
const BOB = 'bob@example.com';
const refused = { http: 400 };

/** What comes in on site B from A, in the recorded order; then what comes in on A from B. */
const TO_B: Readonly<Record<string, Expected>> = {
  '01-stream-register-inactive': {
    effect: async (site) => {
      const row = await rowOf(site, ZOE);
      expect(row).toMatchObject({
        s_name: 'Zo&euml; M&uuml;ller &amp; S&ouml;hne + 50% "q" \'s x',
        b_active: 0,
        b_enabled: 1,
        s_password: '$2y$15$k0bUe/8OryOU82y8BmffPOh3QikSerlg4uuGZbfe69ZOsFJZbBDxC',
        d_coord_lat: null,
      });
      expect(row['pk_i_id']).not.toBe(101);
      expect(row['s_username']).toBe(String(row['pk_i_id']));
      expect(row['s_secret']).not.toBe('JsTNlnea');
      expect(row['s_access_ip']).toBe('');
    },
  },
  '02-stream-profile-full': {
    effect: async (site) => {
      expect(await rowOf(site, ZOE)).toMatchObject({
        s_name: 'Zo&euml; Bront&euml; &amp; Co 100% + 1',
        b_active: 1,
        s_zip: '01067',
        s_city: 'Munich',
        d_coord_lat: '48.137154',
        b_company: 1,
        fk_c_country_code: 'DE',
      });
      expect(await infoOf(site, ZOE)).toEqual({
        en_US: 'Line one\nLine two &amp; 50% + café\n\nlast  line ',
        es_ES: 'Descripción en español: ¿qué tal? ñ',
      });
    },
  },
  '03-stream-admin-created': {
    effect: async (site) => expect(await rowOf(site, ADM)).toMatchObject({ b_active: 1, s_username: 'adm_made' }),
  },
  '04-stream-deactivated': { effect: async (site) => expect(await rowOf(site, ADM)).toMatchObject({ b_active: 0 }) },
  '05-stream-activated': { effect: async (site) => expect(await rowOf(site, ADM)).toMatchObject({ b_active: 1 }) },
  '06-stream-blocked': { effect: async (site) => expect(await rowOf(site, ADM)).toMatchObject({ b_enabled: 0 }) },
  '07-stream-unblocked': { effect: async (site) => expect(await rowOf(site, ADM)).toMatchObject({ b_enabled: 1 }) },
  '08-stream-locale-unknown-to-receiver': {
    effect: async (site) => {
      expect(await infoOf(site, ADM)).toEqual({ en_US: 'Works here &amp; there' });
      const { s_password: password } = await rowOf(site, ADM);
      expect(password).toBe('$2y$15$Xsk5sqnXFm2BpEEjSRONSOBojuPG/TiGAl79HLh.I3goxvCaSIe7u');
    },
  },
  '09-stream-null-and-empty': {
    given: async ({ host }) => {
      await host.write("UPDATE {user} SET s_website = 'https://kept.example.com' WHERE s_email = ?", [ADM]);
    },
    effect: async (site) =>
      expect(await rowOf(site, ADM)).toMatchObject({
        s_website: 'https://kept.example.com',
        s_address: '',
        d_coord_lat: '0.000000',
        d_coord_long: '-0.100000',
      }),
  },
  '10-stream-numeric-looking': {
    effect: async (site) =>
      expect(await rowOf(site, ADM)).toMatchObject({
        s_phone_land: '007',
        s_phone_mobile: '+491511234567',
        s_address: ' 12',
        s_zip: '1e5',
        s_city_area: '0x1A',
      }),
  },
  '11-stream-raw-markup': {
    effect: async (site) => {
      expect(await rowOf(site, ADM)).toMatchObject({
        s_name: '  A x & "q" \'s &lt;3 1 &lt; 2 &gt; 1 &eacute; ',
        s_address: 'l1\r\nl2\tTab\u0001 end',
        s_city: 'Zürich — 漢字 ~*!()',
      });
      expect((await infoOf(site, ADM))['en_US']).toBe('Hi there\r\n\r\nend');
    },
  },
  '12-stream-emoji': {
    effect: async (site) => {
      const row = await rowOf(site, 'emoji@example.com');
      // A column of three bytes cannot hold it: the account is made, the name waits for a person.
      expect(row).toMatchObject({ s_username: 'emoji', s_name: '', b_active: 0 });
      const parked = await site.db.query<{ code: string }>('SELECT code FROM oc_account_sync_parked WHERE code = ?', [
        'VALUE_UNSTORABLE',
      ]);
      expect(parked).toHaveLength(1);
    },
  },
  '13-stream-email-changed': {
    effect: async (site) => {
      // Nothing says that it is the same person: a second account, as the plugin makes it.
      expect(await rowOf(site, NEW)).toMatchObject({ s_name: 'Admin Made' });
      expect(await rowOf(site, ADM)).toMatchObject({ s_username: 'adm_made' });
    },
  },
  '15-stream-profile-image': {
    effect: async (site) => expect(await rowOf(site, ZOE)).toMatchObject({ s_name: 'Zoe edited on B', s_city: '' }),
  },
  '17-removal': {
    effect: async (site) => {
      expect(await rowOf(site, NEW)).toEqual({});
      expect(await rowOf(site, ADM)).toMatchObject({ s_username: 'adm_made' });
    },
  },
  '19-removal-without-email': {},
  '27-feed-other-direction': {
    given: async (site) => {
      await empty(site);
      await storeMembers(site, 'B');
    },
    isFeed: true,
  },
  '29-err-missing-key': { http: 401 },
  '30-err-wrong-key': { http: 403 },
  '31-err-stream-missing-email': refused,
  '32-err-stream-missing-id': refused,
  // An empty status would tell an administrator nothing.
  '33-err-unknown-action': { http: 400, instead: { status: 'ERR' } },
  // The same request five times: the answers were made by a broken site, and a daemon that is well takes it.
  '34-stream-key-refused-http-200': { instead: tellOf(capture('38-stream-answer-lost').response) },
  '35-stream-peer-http-500': { instead: tellOf(capture('38-stream-answer-lost').response) },
  '36-stream-peer-maintenance-503': { instead: tellOf(capture('38-stream-answer-lost').response) },
  '37-stream-peer-redirect-301': { instead: tellOf(capture('38-stream-answer-lost').response) },
  '38-stream-answer-lost': {
    effect: async (site) => expect(await rowOf(site, 'm01@example.com')).toMatchObject({ s_city: 'Leipzig' }),
  },
};

const TO_A: Readonly<Record<string, Expected>> = {
  '14-stream-other-direction': {
    given: async (site) => {
      await site.host.person.register({ email: ZOE, name: 'Zoë' });
    },
    effect: async (site) => {
      const row = await rowOf(site, ZOE);
      expect(row).toMatchObject({ s_name: 'Zoe edited on B' });
      expect(row['s_username']).toBe(String(row['pk_i_id']));
    },
  },
  '18-removal-echo-unknown-user': { effect: async (site) => expect(await countOf(site)).toBe(1) },
  '20-feed-no-users': { given: empty, isFeed: true },
  '21-feed-fewer-than-limit': {
    given: async (site) => store(site, recorded('21-feed-fewer-than-limit'), HASH),
    isFeed: true,
  },
  '22-feed-nothing-new': { isFeed: true },
  '23-stream-masked-hash-sent-back': {
    effect: async (site) =>
      expect(await rowOf(site, BOB)).toMatchObject({ s_name: 'Bob edited on B', s_password: HASH, s_username: 'bob' }),
  },
  '24-feed-page-1-of-5': {
    given: async (site) => {
      await empty(site);
      await storeMembers(site, 'A');
    },
    isFeed: true,
  },
  '25-feed-page-2-of-5': { isFeed: true },
  '26-feed-page-5-of-5': { isFeed: true },
};

test('every recorded exchange has its place here', () => {
  // The sixteenth is a picture that the plugin fetches from a site; the daemon neither asks for it nor has it.
  const apart = ['16-profile-image-callback', '28-feed-by-get'];
  const named = [...Object.keys(TO_B), ...Object.keys(TO_A), ...apart].toSorted();
  expect(named).toEqual(captureNames());
  expect(named).toHaveLength(38);
});

describe.each([
  ['site B', TO_B, { ourKey: KEY_B, peerKey: KEY_A, host: { locales: ['en_US', 'es_ES'] } }],
  ['site A', TO_A, { ourKey: KEY_A, peerKey: KEY_B, host: { locales: ['de_DE', 'en_US', 'es_ES'] } }],
] as const)('a daemon in the place of %s', (_name, table, options) => {
  let site: PluginSite;
  beforeAll(async () => {
    // Nobody approves removals here, and the pages are as small as the recorded ones.
    site = await makePluginSite({ ...options, extra: 'feed: { limit: 5 }' });
  });
  afterAll(() => site.close());

  test.each(Object.entries(table))('%s', async (name, expected) => {
    await expected.given?.(site);
    const { request, response } = capture(name);
    const answer = await sendRaw(site.daemon.url, request.bytes);
    expect(Number(answer.start.split(' ')[1])).toBe(expected.http ?? 200);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=UTF-8');
    const told = tellOf(answer);
    const asRecorded = response.body.toString().startsWith('{') ? tellOf(response) : {};
    const wanted = { ...asRecorded, ...expected.instead } as Told;
    const compare = expected.isFeed === true ? ofFeed : ofOthers;
    expect(compare(told)).toEqual(compare(wanted));
    expect(passwordsOf(told).filter((hash) => hash !== HASH)).toEqual([]);
    await expected.effect?.(site);
  });
});

test('a key in an address, which proxies log, opens nothing', async () => {
  const site = await makePluginSite({ ourKey: KEY_B, peerKey: KEY_A });
  const answer = await sendRaw(site.daemon.url, capture('28-feed-by-get').request.bytes);
  expect(answer.start).toContain(' 404 ');
  await site.close();
});

test('the picture of a user is no business of the daemon', async () => {
  const site = await makePluginSite({ ourKey: KEY_A, peerKey: KEY_B });
  const answer = await sendRaw(site.daemon.url, capture('16-profile-image-callback').request.bytes);
  expect(answer.start).toContain(' 404 ');
  await site.close();
});
