/** Requests of a peer with a right key that must be refused, or be answered with what is wrong with each record. */
import { gzipSync } from 'node:zlib';

/** One request; the body as it goes on the wire. */
export interface BadRequest {
  readonly path: string;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** The answer's HTTP status. */
  readonly status: number;
}

const stream = (records: unknown, status: number): BadRequest => ({
  path: 'v1/stream',
  body: JSON.stringify({ site: 'homes', records }),
  status,
});
const raw = (body: string, status: number, headers: Record<string, string> = {}): BadRequest => ({
  path: 'v1/stream',
  body,
  status,
  headers,
});
const deep = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const UID = '00000000-0000-5000-8000-000000000000';
const STAMP = '1700000000000-1-100-homes';
const record = (changes: object): object => ({
  kind: 'user',
  uids: [UID],
  email: 'eve@example.com',
  born: STAMP,
  registers: { s_email: { stamp: STAMP, values: { s_email: 'eve@example.com' } } },
  ...changes,
});
const GZIP = { 'content-encoding': 'gzip' };

/** What is to be said of each. */
export const BAD_REQUESTS: readonly (readonly [string, BadRequest])[] = [
  ['nothing', raw('', 400)],
  ['half a document', raw('{"site":', 400)],
  ['text', raw('hello', 400)],
  ['a number', raw('7', 422)],
  ['null', raw('null', 422)],
  ['a list', raw('[]', 422)],
  ['an empty object', raw('{}', 422)],
  ['brackets a hundred thousand deep', raw(`{"site":"homes","records":${deep(100_000)}}`, 422)],
  ['brackets a thousand deep', raw(`{"site":"homes","records":${deep(1000)}}`, 422)],
  ['a name twice', raw('{"site":"homes","records":[],"records":7}', 422)],
  ['a prototype', raw('{"site":"homes","records":[],"__proto__":{"x":1}}', 400)],
  ['a byte order mark and nothing', raw('\uFEFF', 400)],
  ['a zero byte', raw('{"site":"homes\0","records":[]}', 400)],
  ['bytes that are no UTF-8', { path: 'v1/stream', body: new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), status: 400 }],
  ['gzip that is none', raw('{"site":', 400, GZIP)],
  [
    'half of gzip',
    {
      path: 'v1/stream',
      body: new Uint8Array(gzipSync('{"site":"homes"}').subarray(0, 12)),
      headers: GZIP,
      status: 400,
    },
  ],
  [
    'a bomb of gzip',
    { path: 'v1/stream', body: new Uint8Array(gzipSync(Buffer.alloc(100_000_000))), headers: GZIP, status: 413 },
  ],
  [
    'a bomb of gzip within gzip',
    {
      path: 'v1/stream',
      body: new Uint8Array(gzipSync(gzipSync(Buffer.alloc(100_000_000)))),
      headers: GZIP,
      status: 400,
    },
  ],
  ['an encoding nobody has', raw('{}', 415, { 'content-encoding': 'zstd-of-mine' })],
  ['a form', raw('a=b', 415, { 'content-type': 'application/x-www-form-urlencoded' })],
  ['XML', raw('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', 415, { 'content-type': 'application/xml' })],
  ['records that are text', stream('all', 422)],
  ['a record that is null', stream([null], 422)],
  ['a record that is a list', stream([[]], 422)],
  ['a kind nobody has', stream([record({ kind: 'god' })], 422)],
  ['no uid', stream([record({ uids: [] })], 422)],
  ['a uid that is none', stream([record({ uids: ["' OR 1=1 --"] })], 422)],
  ['a uid of another type', stream([record({ uids: [7] })], 422)],
  ['ten thousand uids', stream([record({ uids: Array.from({ length: 10_000 }, () => UID) })], 422)],
  ['an address that is a number', stream([record({ email: 7 })], 422)],
  ['an address that is an object', stream([record({ email: { toString: 'x' } })], 422)],
  ['a stamp that is none', stream([record({ born: 'yesterday' })], 422)],
  ['a stamp below zero', stream([record({ born: '-1-1-100-homes' })], 422)],
  ['a stamp beyond all numbers', stream([record({ born: '99999999999999999999999-1-100-homes' })], 422)],
  ['registers that are a list', stream([record({ registers: [] })], 422)],
  ['a register that is text', stream([record({ registers: { s_name: 'Eve' } })], 422)],
  [
    'a value that is a list',
    stream([record({ registers: { s_name: { stamp: STAMP, values: { s_name: [] } } } })], 422),
  ],
  ['a limit that is a word', { path: 'v1/feed?limit=many', status: 422 }],
  ['a limit below zero', { path: 'v1/feed?limit=-1', status: 422 }],
  ['a limit beyond all numbers', { path: 'v1/feed?limit=1e999', status: 422 }],
  ['a cursor that is SQL', { path: 'v1/feed?after=0%20OR%201=1', status: 422 }],
  ['a parameter nobody has', { path: 'v1/feed?unknown=1', status: 422 }],
  ['an address that is nowhere', { path: 'v1/../../etc/passwd', status: 404 }],
  ['a route of administrators', { path: 'v1/parked', status: 403 }],
  [
    'a larger body than is taken',
    raw(JSON.stringify({ site: 'homes', records: [], padding: 'x'.repeat(20_000_000) }), 413),
  ],
];
