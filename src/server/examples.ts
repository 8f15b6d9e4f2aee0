/** Examples for the OpenAPI document, by operation and status. `npm run check` holds them to the schemas. */
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import type { ErrorAnswer } from '../model/response-schemas.ts';

const TRACE = '5c0a3f0e-2a5b-4d1c-9f3e-0d6f6f1b7a11';
const UID = '912e53cd-0658-53e6-8808-33700fcf5856';
const NOW = '2026-03-01T10:00:00.120Z';

const logRecord = {
  id: 48_211,
  type: 'PROCESS',
  peer: 'homes',
  key: 'd9dc5f2f',
  ip: '192.0.2.7',
  date: NOW,
  status: 'OK',
  response: 'Account updated',
  content: { operation: 'update', result: 'applied', via: 'stream', uid: UID, userId: 5, email: 'a***@e***.com' },
  trace: TRACE,
};
const csvExport = [
  'id,type,peer,key,ip,date,status,response,content,trace',
  `48211,PROCESS,homes,d9dc5f2f,192.0.2.7,${NOW},OK,Account updated,"{""operation"":""update""}",${TRACE}`,
  '',
].join('\r\n');

const homes = {
  name: 'homes',
  url: 'https://homes.example.com/account-sync/',
  protocol: 'native',
  columns: ['s_name', 's_email', 'user_description'],
  send_columns: ['s_name', 's_email', 'user_description'],
  last_user_id: 20_417,
  feed_due: false,
  feed_due_reason: null,
  synced_from: NOW,
  synced_to: NOW,
  received_total: 20_602,
  sent_total: 20_455,
  status: '200',
  message: 'OK',
  date: NOW,
  failing_since: null,
  pending: 2,
  oldest_pending_age: 0.4,
  unknown_locations: 3,
  parked: 1,
  unproven: 2,
  held: 0,
  held_by_class: { removals: 0, credentials: 0, revivals: 0, creations: 0 },
};
const linkOutcome = { user_id: 5, email: 'a***@e***.com', blocked: false, dry_run: false };
const progress = {
  peer: 'homes',
  running: true,
  message:
    'Progress: 23.81% (Total stats - Retrieved: 5, Remaining: 16, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: 0)',
  retrieved: 5,
  remaining: 16,
  total: 21,
  last_user_id: 9,
  error: null,
};
const fine = { status: 'ok', message: 'in place' };
const health = {
  status: 'ok',
  checks: {
    database: { status: 'ok', message: 'answers' },
    triggers: fine,
    queue: { status: 'ok', message: '0 markers' },
    peers: { status: 'ok', message: '2 configured' },
    config: { status: 'ok', message: 'in force' },
    clock: { status: 'ok', message: 'agrees' },
    users: { status: 'ok', message: 'all there' },
    identity: { status: 'ok', message: 'as last time' },
    host: { status: 'ok', message: 'as it was' },
  },
};
const unknown = { status: 'degraded', message: 'not known while the database is away' };
const down = {
  status: 'down',
  checks: {
    ...health.checks,
    database: { status: 'down', message: 'DB_UNAVAILABLE' },
    triggers: unknown,
    queue: unknown,
  },
};
const user = {
  kind: 'user',
  uids: [UID],
  email: 'ana@example.com',
  born: '1767225600000-0-100-cars',
  registers: {
    s_phone_mobile: { stamp: '1772359200120-1-100-cars', values: { s_phone_mobile: '+34 600' } },
    dt_mod_date: { stamp: '1772359200120-1-100-cars', values: { dt_mod_date: { utc: '2026-03-01 10:00:00' } } },
  },
};
const pluginDone = { status: 'OK', message: 'User data received (ID: 7, Email: a@example.com, Name: Ana)', data: [] };

/** `request`, or the status of an answer, then a name, then the value: text for what is no JSON. */
export const EXAMPLES: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>> = {
  health: { 200: { ok: health }, 503: { down } },
  live: { 200: { ok: { status: 'ok' } } },
  ready: { 200: { ok: { status: 'ok' } }, 503: { down: { status: 'down' } } },
  apiDocument: { 200: { document: { openapi: '3.1.0', info: { title: 'account-sync' }, paths: {} } } },
  metrics: { 200: { prometheus: 'account_sync_outbox_entries{peer="homes"} 2\n' } },
  hello: {
    200: {
      hello: {
        status: 'OK',
        site: 'homes',
        peer: 'cars',
        protocols: ['native/1'],
        version: '0.1.0',
        time: NOW,
        timezone: true,
        receive: true,
        send: true,
        columns: { accept: ['s_name', 's_email'], send: ['s_name', 's_email'] },
        installation: 'c4a760a8-dbcf-4e14-9f39-645a8e933d74',
        features: ['rows', 'signatures'],
        public_key: 'SHA256:GLR1kWzkKZMVzHzHEv0sbmMIu9vUvc0/3BgU0H+dfHo=',
        known_keys: ['SHA256:0pYkEpGkXU0t7aRJkXyMPxWJ8cVAVYjT3hQGBxQnVgI='],
        failing_since: null,
      },
    },
  },
  feed: {
    200: {
      page: {
        status: 'OK',
        message: progress.message,
        users: [user],
        total: 21,
        remaining: 16,
        retrieved: 5,
        limit: 5,
        after: 0,
        next: 9,
        done: false,
      },
    },
  },
  stream: {
    request: {
      change: { site: 'cars', records: [user] },
      removal: {
        site: 'cars',
        records: [{ kind: 'removal', uids: [UID], emailHash: '0f'.repeat(32), stamp: '1772359200120-1-100-cars' }],
      },
    },
    200: {
      applied: { status: 'OK', results: [{ result: 'applied' }] },
      parked: {
        status: 'OK',
        results: [{ result: 'parked', code: 'EMAIL_TAKEN', message: ERRORS.EMAIL_TAKEN.meaning }],
      },
    },
  },
  logs: {
    200: { page: { logs: [logRecord], next: 48_211 }, ndjson: `${JSON.stringify(logRecord)}\n`, csv: csvExport },
  },
  listPeers: { 200: { peers: { peers: [homes], next: null } } },
  getPeer: { 200: { peer: { ...homes, logs: [logRecord] } } },
  approveRemovals: {
    request: { nothing: {}, credentials: { class: 'credentials', dry_run: true } },
    200: {
      released: {
        status: 'OK',
        released: 40,
        by_class: { removals: 0, credentials: 40, revivals: 3, creations: 0 },
        dry_run: false,
      },
    },
  },
  linkAccounts: {
    request: { pair: { email: 'ana@example.com', peer: 'homes' } },
    200: { linked: { status: 'OK', ...linkOutcome, result: 'linked', records: 1, registers: ['s_name'] } },
  },
  unlinkAccounts: {
    request: { plan: { email: 'ana@example.com', peer: 'homes', dry_run: true } },
    200: { parted: { status: 'OK', ...linkOutcome, result: 'parted', records: 0, dry_run: true } },
  },
  startFeed: {
    request: { resume: {}, again: { restart: true }, plan: { dry_run: true } },
    200: { followed: '{"event":"begun"}\n{"event":"stopped"}\n' },
    202: { begun: progress },
  },
  feedProgress: { 200: { running: progress } },
  stopFeed: { 200: { stopped: { ...progress, running: false } } },
  runStream: { request: { nothing: {} }, 200: { sent: { status: 'OK', drained: 12, sent: 4, pending: 0 } } },
  listPending: {
    200: {
      waiting: {
        pending: [
          {
            peer: 'homes',
            kind: 'user',
            user_id: 5,
            email: 'a***@e***.com',
            state: 'waiting',
            since: NOW,
            due: NOW,
            attempts: 3,
            code: 'PEER_UNREACHABLE',
            message: ERRORS.PEER_UNREACHABLE.meaning,
          },
        ],
        next: 'homes:u:5',
      },
    },
  },
  listParked: {
    200: {
      parked: {
        parked: [
          {
            id: '17',
            direction: 'in',
            peer: 'homes',
            kind: 'user',
            user_id: 5,
            email: 'a***@e***.com',
            code: 'EMAIL_TAKEN',
            message: ERRORS.EMAIL_TAKEN.meaning,
            remedy: ERRORS.EMAIL_TAKEN.remedy,
            since: NOW,
            tried: NOW,
            attempts: 2,
          },
        ],
        next: null,
      },
    },
  },
  retryParked: {
    request: { nothing: {} },
    200: {
      through: { status: 'OK', result: 'applied' },
      still: { status: 'OK', result: 'parked', code: 'EMAIL_TAKEN', message: ERRORS.EMAIL_TAKEN.meaning },
    },
  },
  dropParked: { 200: { dropped: { status: 'OK' } } },
  ...Object.fromEntries(
    ['pluginPost', 'pluginPostIndex'].map((operation) => [
      operation,
      {
        request: {
          removal: {
            ascSync: '1',
            ascApiKey: '0123456789abcdef0123456789abcdef',
            ascAction: 'userStreamPostRemoval',
            ascData: 'ana@example.com',
          },
        },
        200: { done: JSON.stringify(pluginDone) },
        400: { wrong: JSON.stringify({ status: 'ERR', message: 'The form cannot be read.', data: [] }) },
        401: { missing: JSON.stringify({ status: 'ERR', message: ERRORS.API_KEY_MISSING.meaning, data: [] }) },
        403: { invalid: JSON.stringify({ status: 'ERR', message: ERRORS.API_KEY_INVALID.meaning, data: [] }) },
      },
    ]),
  ),
};

/** What is answered with that code. */
export function exampleOfError(code: ErrorCode): ErrorAnswer {
  const { meaning } = ERRORS[code];
  if (code === 'REQUEST_INVALID')
    return { status: 'ERR', code, message: 'limit: must be >= 1 (got 0); sarch: unknown' };
  if (code !== 'INTERNAL') return { status: 'ERR', code, message: meaning };
  return { status: 'ERR', code, message: `${meaning} Trace: ${TRACE}`, trace: TRACE };
}
