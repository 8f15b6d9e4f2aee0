/**
 * A site with the PHP plugin, in memory: what sections 5 to 7 of the description say of it, request by request. It shares
 * no code with what is tested. Requests and answers are bytes of the protocol, so the recorded exchanges can be played to it.
 */
import {
  buildPhpForm,
  isBareNumber,
  mask,
  parsePhpForm,
  purifyAll,
  type Fields,
} from '../../support/php-plugin/form.ts';
import { DEFAULT_COLUMNS } from '../../support/php-plugin/store.ts';

/** A row of `t_user` there, with its descriptions. */
export interface PhpRow {
  readonly id: number;
  readonly columns: Record<string, string | null>;
  readonly texts: Map<string, string>;
  /** Registrations whose data the row ever held. */
  readonly lineage: Set<string>;
}

/** What it is told of what happens, for checks; the plugin does not see it. */
export interface PhpWatch {
  /** A removal that came deletes a row. */
  removes(row: PhpRow): void;
  /** A row that came puts one value in the place of another. */
  writes(row: PhpRow, column: string, from: string | null, to: string): void;
}

/** One of its accounts. */
export interface PhpPeer {
  readonly name: string;
  readonly apiKey: string;
  readonly columns?: readonly string[];
  lastUserId: number;
}

/** An answer on the wire. */
export interface PhpAnswer {
  readonly http: number;
  readonly body: string;
}

export interface PhpSite {
  readonly rows: Map<number, PhpRow>;
  readonly queue: { readonly users: Set<number>; readonly removals: Set<string> };
  readonly peers: PhpPeer[];
  holderOf(email: string): PhpRow | undefined;
  insert(columns: Record<string, string | null>): PhpRow;
  /** What its hook does, and the deletion. */
  remove(row: PhpRow): void;
  /** A request that comes. */
  answer(form: string): PhpAnswer;
  /** A run of its cron: every queued user, then every queued removal, to every account; then both queues are emptied. */
  cron(send: (peer: PhpPeer, form: string) => Promise<void>): Promise<void>;
  /** One click of an administrator. Returns how many users came. */
  feed(peer: PhpPeer, send: (form: string) => Promise<PhpAnswer | undefined>): Promise<number>;
}

/** What columns hold that nobody names. */
const COLUMN_DEFAULTS: Readonly<Record<string, string | null>> = {
  dt_reg_date: '0000-00-00 00:00:00',
  dt_mod_date: null,
  s_name: '',
  s_username: '',
  s_password: '',
  s_secret: null,
  s_email: '',
  s_phone_mobile: null,
  b_enabled: '1',
  b_active: '0',
};

const NOT_FOUND =
  'User record invalid, user has not been found (it might not exists on this domain or was already removed)';

/** @param locales those it has; texts in others are dropped */
export function makePhpSite(options: {
  readonly apiKey: string;
  readonly peers: PhpPeer[];
  readonly locales: readonly string[];
  readonly feedLimit: number;
  readonly firstId: number;
  readonly watch?: PhpWatch;
}): PhpSite {
  const { apiKey, peers, locales, feedLimit, watch } = options;
  const rows = new Map<number, PhpRow>();
  const queue = { users: new Set<number>(), removals: new Set<string>() };
  let nextId = options.firstId;

  const holderOf = (email: string): PhpRow | undefined =>
    [...rows.values()].find((row) => folded(row.columns['s_email'] ?? '') === folded(email));

  const insert = (columns: Record<string, string | null>): PhpRow => {
    const id = nextId++;
    const row: PhpRow = { id, columns: { ...COLUMN_DEFAULTS, ...columns }, texts: new Map(), lineage: new Set() };
    if (typeof columns['dt_reg_date'] === 'string') row.lineage.add(columns['dt_reg_date']);
    rows.set(id, row);
    return row;
  };

  const remove = (row: PhpRow): void => {
    queue.removals.add(row.columns['s_email'] ?? '');
    rows.delete(row.id);
  };

  /** Found by address: updated; else inserted. Only its columns; NULL and what is absent are left alone. */
  const store = (peer: PhpPeer, data: Readonly<Record<string, unknown>>): void => {
    const given = (peer.columns ?? DEFAULT_COLUMNS).filter(
      (name) => name !== 'user_description' && typeof data[name] === 'string',
    );
    const values = Object.fromEntries(given.map((name) => [name, stored(String(data[name]))]));
    const known = holderOf(String(data['s_email']));
    const row = known ?? insert(values);
    if (known !== undefined) {
      for (const [name, value] of Object.entries(values)) {
        watch?.writes(row, name, row.columns[name] ?? null, value);
        row.columns[name] = value;
        if (name === 'dt_reg_date') row.lineage.add(value);
      }
    }
    for (const entry of Object.values((data['user_description'] ?? {}) as Record<string, Fields>)) {
      const { fk_c_locale_code: locale, s_info: text } = entry;
      if (typeof locale !== 'string' || typeof text !== 'string' || text.trim() === '') continue;
      if (locales.includes(locale)) row.texts.set(locale, stored(text));
    }
  };

  const whole = (row: PhpRow): Record<string, unknown> => ({
    pk_i_id: String(row.id),
    ...row.columns,
    user_description: [...row.texts].map(([locale, text]) => ({
      fk_i_user_id: String(row.id),
      fk_c_locale_code: locale,
      s_info: text,
    })),
  });

  const takeStreamed = (peer: PhpPeer, data: Fields): PhpAnswer => {
    const text = (column: string): string => (typeof data[column] === 'string' ? data[column] : '');
    const [id, email, name] = [text('pk_i_id'), text('s_email'), text('s_name')];
    const echo = Object.entries(data).map(([column, value]) => echoed(column, value));
    if (id.trim() === '' || email.trim() === '') {
      return said('ERR', 'Streamed user record invalid, pk_i_id or s_email is missing', echo);
    }
    // "OK" says that the row was well-formed, not that it was stored.
    store(peer, data);
    return said('OK', `Streamed user data received successfully (#${id}, ${email}, ${name})`, echo);
  };

  const receiveRemoval = (email: string): PhpAnswer => {
    const row = email === '' ? undefined : holderOf(email);
    if (row === undefined) return said('ERR', NOT_FOUND, [email]);
    watch?.removes(row);
    // The normal deletion, with its hook: it is queued to be sent back.
    remove(row);
    const { s_email: address, s_name: name } = row.columns;
    return said('OK', `User data removal received successfully (#${row.id}, ${address}, ${name})`, [email]);
  };

  const servePage = (after: number): PhpAnswer => {
    const shown = [...rows.values()]
      .filter(({ columns }) => columns['b_enabled'] === '1' && columns['b_active'] === '1')
      .toSorted((a, b) => a.id - b.id);
    const above = shown.filter(({ id }) => id > after);
    const page = above.slice(0, feedLimit);
    const [total, remaining] = [shown.length, above.length - page.length];
    const percent = total === 0 ? 100 : ((total - remaining) / total) * 100;
    const message =
      `Progress: ${percent.toFixed(2)}% (Total stats - Retrieved: ${total - remaining}, Remaining: ${remaining}, ` +
      `Total: ${total} / Last request stats - Retrieved : ${page.length}, Limit: ${feedLimit}, From user ID: ${after})`;
    const data = page.map((row) => ({
      ...whole(row),
      s_password: mask(row.columns['s_password'] ?? ''),
      user_business_profile: [],
    }));
    return said('OK', message, data);
  };

  const answer = (form: string): PhpAnswer => {
    const fields = purifyAll(parsePhpForm(form));
    const { ascApiKey: key = '', ascAction: action, ascData: data, ascLastUserId: last } = fields;
    if (typeof key !== 'string' || key.trim() === '') return said('ERR', 'API Key is missing', []);
    const peer = peers.find((one) => one.apiKey === key);
    if (peer === undefined) return said('ERR', 'API Key is invalid - no account found', []);
    if (action === 'userStreamPost') return takeStreamed(peer, typeof data === 'object' ? data : {});
    if (action === 'userStreamPostRemoval') return receiveRemoval(typeof data === 'string' ? data : '');
    if (action === 'userFeedRequest') return servePage(Number(last));
    return said('', '', []);
  };

  return {
    rows,
    queue,
    peers,
    holderOf,
    insert,
    remove,
    answer,
    async cron(send) {
      const [ids, emails] = [[...queue.users], [...queue.removals]];
      for (const id of ids) {
        const row = rows.get(id);
        if (row === undefined) continue;
        const form = buildPhpForm({ ascSync: 1, ascApiKey: apiKey, ascAction: 'userStreamPost', ascData: whole(row) });
        for (const peer of peers) await send(peer, form);
      }
      for (const email of emails) {
        const form = buildPhpForm({
          ascSync: 1,
          ascApiKey: apiKey,
          ascAction: 'userStreamPostRemoval',
          ascData: email,
        });
        for (const peer of peers) await send(peer, form);
      }
      // Whatever happened, and whatever came in meanwhile.
      queue.users.clear();
      queue.removals.clear();
    },
    async feed(peer, send) {
      const form = buildPhpForm({
        ascSync: 1,
        ascApiKey: apiKey,
        ascAction: 'userFeedRequest',
        ascLastUserId: peer.lastUserId,
      });
      const got = await send(form);
      const data = (JSON.parse(got?.body ?? '{}') as { data?: Record<string, unknown>[] }).data ?? [];
      for (const row of data) {
        // Rows of a feed are not cleaned.
        store(peer, row);
        peer.lastUserId = Number(row['pk_i_id']);
      }
      return data.length;
    },
  };
}

/** What the database makes of a text: numbers go into the SQL without quotes, and columns have three bytes a character. */
function stored(text: string): string {
  if (!isBareNumber(text)) return text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '????');
  return String(Number(text));
}

function folded(email: string): string {
  return email.toLowerCase().replace(/ +$/, '').normalize('NFD').replaceAll(/\p{M}/gu, '');
}

function echoed(column: string, value: string | Fields): unknown {
  if (typeof value === 'string') return column === 's_password' ? mask(value) : value;
  return Object.values(value).map((one) => (typeof one === 'string' ? one : { ...one }));
}

function said(status: string, message: string, data: readonly unknown[]): PhpAnswer {
  return { http: 200, body: JSON.stringify({ status, message, data }) };
}
