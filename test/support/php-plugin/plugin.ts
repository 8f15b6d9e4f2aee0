/**
 * A site that runs the PHP plugin: a simulated Osclass, and beside it what sections 5 to 7 of the description say of the
 * plugin, with what it alters and what it forgets. It shares no code with what is tested.
 *
 *     const jobs = await makePhpPlugin(host, { apiKey, accounts: [{ name: 'cars', url, apiKey: keyOfCars }] });
 *     await jobs.person.editProfile('ana@example.com', { name: 'Ana B' });    // queued, as its hooks do
 *     await jobs.runCron();                                                   // sent once, then forgotten
 *     await jobs.feed('cars');                                                // one click of an administrator
 */
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Host } from '../osclass/host.ts';
import type { UserRef } from '../osclass/site.ts';
import { buildPhpForm, mask, parsePhpForm, purifyAll, type Fields } from './form.ts';
import { countAfter, DEFAULT_COLUMNS, readPage, readRow, storeRow, type ForeignRow } from './store.ts';

/** One of its peers. */
export interface PhpAccount {
  readonly name: string;
  /** With a final slash. */
  readonly url: string;
  /** What that peer identifies itself with. */
  readonly apiKey: string;
  readonly columns?: readonly string[];
  /** Its feed cursor. */
  lastUserId?: number;
}

/**
 * What becomes of a request on the way: as it should, never arrived, arrived but the answer was lost, the site is closed, or the
 * plugin is off and the site answers with its home page.
 */
export type Weather = 'fair' | 'refused' | 'answer-lost' | 'maintenance' | 'off';

export interface PhpPluginOptions {
  readonly apiKey: string;
  readonly accounts: PhpAccount[];
  readonly feedLimit?: number;
  /** Asked for each request that comes, and for each that goes out. */
  readonly weather?: (way: 'in' | 'out', account: string) => Weather;
}

/** What it said, in its log. */
export interface Sending {
  readonly account: string;
  readonly action: string;
  readonly about: string;
  /** 0: nothing came back. */
  readonly http: number;
  readonly body: string;
}

export interface PhpPlugin {
  readonly host: Host;
  readonly url: string;
  /** Its peers; what is changed in them counts from then on. */
  readonly accounts: PhpAccount[];
  /** Every request it has sent, oldest first. */
  readonly sendings: Sending[];
  /** Actions that its hooks see are queued; the others happen behind its back. */
  readonly person: Host['person'];
  readonly admin: Host['admin'];
  /** Who and what waits for the next run. */
  readonly queue: { readonly users: ReadonlySet<number>; readonly removals: ReadonlySet<string> };
  /** Sends every queued user, then every queued removal, to every account, and forgets them, whatever happened. */
  runCron(): Promise<void>;
  /** Takes one page of users from an account; returns how many there were. */
  feed(account: string): Promise<number>;
  close(): Promise<void>;
}

/** Listens on loopback. */
export async function makePhpPlugin(host: Host, options: PhpPluginOptions): Promise<PhpPlugin> {
  const { apiKey, accounts, feedLimit = 200, weather = () => 'fair' } = options;
  const users = new Set<number>();
  const removals = new Set<string>();
  const sendings: Sending[] = [];

  const queueing = <Rest extends unknown[], Result>(act: (user: UserRef, ...rest: Rest) => Promise<Result>) => {
    return async (user: UserRef, ...rest: Rest): Promise<Result> => {
      const id = await host.idOf(user);
      const result = await act(user, ...rest);
      users.add(id);
      return result;
    };
  };
  const created = <Form>(act: (form: Form) => Promise<number>) => {
    return async (form: Form): Promise<number> => {
      const id = await act(form);
      users.add(id);
      return id;
    };
  };
  const removing = (act: (user: UserRef) => Promise<string[]>) => {
    return async (user: UserRef): Promise<string[]> => {
      removals.add(String((await host.user(user))?.s_email));
      return await act(user);
    };
  };
  const person = {
    ...host.person,
    register: created(host.person.register),
    editProfile: queueing(host.person.editProfile),
    deleteAccount: removing(host.person.deleteAccount),
  };
  const admin = {
    ...host.admin,
    createUser: created(host.admin.createUser),
    editUser: queueing(host.admin.editUser),
    activate: queueing(host.admin.activate),
    deactivate: queueing(host.admin.deactivate),
    block: queueing(host.admin.block),
    unblock: queueing(host.admin.unblock),
    deleteUser: removing(host.admin.deleteUser),
  };

  const respond = async (fields: Fields): Promise<Record<string, unknown>> => {
    const { ascApiKey: key, ascAction: action, ascData: data, ascLastUserId: last } = fields;
    if (typeof key !== 'string' || key.trim() === '') return answer('ERR', 'API Key is missing', []);
    const account = accounts.find((one) => one.apiKey === key);
    if (account === undefined) return answer('ERR', 'API Key is invalid - no account found', []);
    if (action === 'userStreamPost') return await takeStreamed(account, data as Fields);
    if (action === 'userStreamPostRemoval') return await receiveRemoval(typeof data === 'string' ? data : '');
    if (action === 'userFeedRequest') return await servePage(Number(last));
    return answer('', '', []);
  };

  const takeStreamed = async (account: PhpAccount, data: Fields): Promise<Record<string, unknown>> => {
    const { pk_i_id: id, s_email: email } = data;
    if (typeof id !== 'string' || typeof email !== 'string' || email.trim() === '') {
      return answer('ERR', 'Streamed user record invalid, pk_i_id or s_email is missing', Object.values(data));
    }
    // "OK" says that the row was well-formed; a failure while storing is only in its log.
    await storeRow(host, account.columns ?? DEFAULT_COLUMNS, data);
    const who = `(#${id}, ${email}, ${data['s_name'] as string})`;
    return answer('OK', `Streamed user data received successfully ${who}`, Object.values(data));
  };

  const receiveRemoval = async (email: string): Promise<Record<string, unknown>> => {
    const row = email === '' ? undefined : await host.user(email);
    if (row === undefined) {
      const message =
        'User record invalid, user has not been found (it might not exists on this domain or was already removed)';
      return answer('ERR', message, [email]);
    }
    // The normal deletion, with its hook.
    await person.deleteAccount(Number(row.pk_i_id));
    const who = `(#${row.pk_i_id}, ${row.s_email}, ${row.s_name})`;
    return answer('OK', `User data removal received successfully ${who}`, [email]);
  };

  const servePage = async (after: number): Promise<Record<string, unknown>> => {
    const rows = (await readPage(host, after, feedLimit)).map((row) => ({
      ...row,
      s_password: mask(String(row['s_password'])),
    }));
    const total = await countAfter(host, 0);
    const remaining = Math.max(0, (await countAfter(host, after)) - rows.length);
    const percent = total === 0 ? 100 : ((total - remaining) / total) * 100;
    const message =
      `Progress: ${percent.toFixed(2)}% (Total stats - Retrieved: ${total - remaining}, Remaining: ${remaining}, ` +
      `Total: ${total} / Last request stats - Retrieved : ${rows.length}, Limit: ${feedLimit}, From user ID: ${after})`;
    return answer('OK', message, rows);
  };

  const server = createServer((incoming, response) => {
    void handle(incoming, response).catch(() => response.destroy());
  });
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const body = Buffer.concat(parts).toString('utf8');
    const query = (incoming.url ?? '').split('?')[1] ?? '';
    // Everything but a bare number is cleaned on arrival; the key and the action are such that nothing happens to them.
    const fields = purifyAll(parsePhpForm([query, body].filter((one) => one !== '').join('&')));
    const caller = accounts.find((one) => one.apiKey === fields['ascApiKey'])?.name ?? '';
    const state = weather('in', caller);
    if (state === 'refused') {
      response.destroy();
      return;
    }
    if (state === 'maintenance') {
      response.writeHead(503, { 'content-type': 'text/html' }).end('<html>We will be back');
      return;
    }
    if (state === 'off' || Number(fields['ascSync']) !== 1) {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome');
      return;
    }
    const said = await respond(fields);
    if (state === 'answer-lost') response.destroy();
    else response.writeHead(200, { 'content-type': 'text/html; charset=UTF-8' }).end(JSON.stringify(said));
  };
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;

  const send = async (
    account: PhpAccount,
    about: string,
    fields: { ascAction: string } & Record<string, unknown>,
  ): Promise<Sending> => {
    const state = weather('out', account.name);
    const form = buildPhpForm({ ascSync: 1, ascApiKey: apiKey, ...fields });
    const got = state === 'refused' ? NOTHING : await post(account.url, form);
    const { http, body } = state === 'answer-lost' ? NOTHING : got;
    const sending = { account: account.name, action: fields.ascAction, about, http, body };
    sendings.push(sending);
    return sending;
  };

  return {
    host,
    url: `http://127.0.0.1:${port}/`,
    accounts,
    sendings,
    person,
    admin,
    queue: { users, removals },
    async runCron() {
      const [ids, emails] = [[...users], [...removals]];
      for (const id of ids) {
        const row = await readRow(host, id);
        if (row === undefined) continue;
        for (const account of accounts) {
          await send(account, String(row['s_email']), { ascAction: 'userStreamPost', ascData: row });
        }
      }
      for (const email of emails) {
        for (const account of accounts) {
          await send(account, email, { ascAction: 'userStreamPostRemoval', ascData: email });
        }
      }
      users.clear();
      removals.clear();
    },
    async feed(name) {
      const account = accounts.find((one) => one.name === name);
      if (account === undefined) throw new Error(`no account ${name}`);
      const fields = { ascAction: 'userFeedRequest', ascLastUserId: account.lastUserId ?? 0 };
      const { body } = await send(account, 'feed', fields);
      const rows = (JSON.parse(body || '{}') as { data?: ForeignRow[] }).data ?? [];
      for (const row of rows) {
        await storeRow(host, account.columns ?? DEFAULT_COLUMNS, row);
        account.lastUserId = Number(row['pk_i_id']);
      }
      return rows.length;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const NOTHING = { http: 0, body: '' };

const answer = (status: string, message: string, data: readonly unknown[]): Record<string, unknown> => ({
  status,
  message,
  data,
});

/** One request, without following anything. */
const post = (url: string, form: string): Promise<{ http: number; body: string }> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(form) };
    const call = request(url, { method: 'POST', headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ http: response.statusCode ?? 0, body }));
    });
    call.on('error', () => resolve(NOTHING));
    call.end(form);
  });
