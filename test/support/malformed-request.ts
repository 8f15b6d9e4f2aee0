/** Requests of every kind that a daemon has to get over, as arbitraries of fast-check: from nearly right to noise. */
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';

/** A request as it goes on the wire. */
export interface RawRequest {
  readonly method: string;
  /** Printable ASCII without blanks. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Who may call, and a record that would be taken. */
export interface Known {
  readonly peerKey: string;
  readonly adminToken: string;
  readonly record: object;
}

const words = (text: string): fc.Arbitrary<string> => fc.constantFrom(...text.split(' '));
const nasty = fc.oneof(
  words(
    `0 -1 1e999 9007199254740993 NaN null undefined true __proto__ constructor %00 %ff %zz ' " \\ ; -- ../../etc \${a} {{a}}`,
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.integer().map(String),
  fc.constant('x'.repeat(3000)),
);
/** Text as it may stand in an address: some of it encoded, some of it broken. */
const inPath = fc.oneof(nasty.map(encode), nasty.map(ascii));

const part = fc.oneof(
  words('cars nobody 1 999999 homes:u:1 cars:r:0 17 feed retry approve'),
  inPath.filter((text) => !text.includes('/')),
);
const path = fc.oneof(
  {
    arbitrary: words('/v1/hello /v1/feed /v1/stream /v1/logs /v1/peers /v1/pending /v1/parked /v1/stream/run'),
    weight: 4,
  },
  { arbitrary: words('/health /health/live /health/ready /openapi.json /metrics / /index.php'), weight: 2 },
  part.map((name) => `/v1/peers/${name}`),
  part.map((name) => `/v1/peers/${name}/feed`),
  part.map((name) => `/v1/peers/${name}/approve`),
  part.map((id) => `/v1/parked/${id}`),
  part.map((id) => `/v1/parked/${id}/retry`),
  inPath.map((text) => `/${text}`),
);

const PARAMETERS = 'after limit times type peer status search from to before trace ascSync ascAction ascApiKey ascData';
const given = fc.oneof(
  words(
    '1 100 utc FEED OK 403 2024-05-01 2024-13-45 homes:u:7 cars 1 userFeedRequest userStreamPost userStreamPostRemoval',
  ),
  inPath,
);
const query = fc
  .array(fc.tuple(fc.oneof({ arbitrary: words(PARAMETERS), weight: 5 }, inPath), given), { maxLength: 4 })
  .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`));

/** The record, with something else in one of its places. */
function mutated(record: object): fc.Arbitrary<unknown> {
  const places = placesOf(record);
  return fc
    .tuple(fc.constantFrom(...places), fc.jsonValue({ maxDepth: 3 }), fc.boolean())
    .map(([place, junk, gone]) => {
      const copy = structuredClone(record) as Record<string, unknown>;
      let at: Record<string, unknown> = copy;
      for (const name of place.slice(0, -1)) at = at[name] as Record<string, unknown>;
      const last = place.at(-1) ?? '';
      if (gone) delete at[last];
      else at[last] = junk;
      return copy;
    });
}

function placesOf(value: unknown, above: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [[...above, name], ...placesOf(inner, [...above, name])]);
}

function bodies({ record, peerKey }: Known): fc.Arbitrary<Uint8Array> {
  const records = fc.array(mutated(record), { minLength: 1, maxLength: 3 });
  const json = fc.oneof(
    { arbitrary: records.map((all) => ({ site: 'cars', records: all })), weight: 4 },
    fc.jsonValue({ maxDepth: 4 }),
    fc.record(
      { restart: fc.jsonValue(), dry_run: fc.constant(true), once: fc.jsonValue() },
      { requiredKeys: ['dry_run'] },
    ),
  );
  const text = fc.oneof(
    { arbitrary: json.map((one) => JSON.stringify(one)), weight: 5 },
    fc.tuple(json, fc.nat(200)).map(([one, end]) => JSON.stringify(one).slice(0, end)),
    words('{} [] null {"__proto__":{}} {"constructor":{"prototype":{}}} 1e999 "\\ud800" {"records":'),
    fc.nat(50_000).map((depth) => '['.repeat(depth)),
    fc.constant(`"${'x'.repeat(200_000)}"`),
    fc
      .array(fc.tuple(words(PARAMETERS), given))
      .map((pairs) => [['ascSync', '1'], ['ascApiKey', peerKey], ...pairs].map((pair) => pair.join('=')).join('&')),
    nasty,
  );
  return fc.oneof(
    { arbitrary: text.map((one) => new TextEncoder().encode(one)), weight: 6 },
    fc.constant(new Uint8Array()),
    text.map((one) => new Uint8Array(gzipSync(one))),
    fc.uint8Array({ maxLength: 300 }),
    fc.constant(new Uint8Array(gzipSync(new Uint8Array(3_000_000)))),
  );
}

/** Any request; about half of them come with a key that is known. */
export function malformedRequest(known: Known): fc.Arbitrary<RawRequest> {
  const header = nasty.map((text) =>
    text
      .replaceAll(/[^\x20-\x7e\xa0-\xff]/g, '')
      .trim()
      .slice(0, 2000),
  );
  const headers = fc.record(
    {
      authorization: fc.oneof(
        { arbitrary: fc.constantFrom(known.peerKey, known.adminToken).map((key) => `Bearer ${key}`), weight: 6 },
        header.map((text) => `Bearer ${text}`),
        header,
      ),
      'content-type': fc.oneof(
        { arbitrary: fc.constant('application/json'), weight: 6 },
        words('application/x-www-form-urlencoded text/plain multipart/form-data application/json;charset=latin1 /'),
        header,
      ),
      'content-encoding': fc.oneof(words('gzip x-gzip identity br deflate'), header),
      accept: fc.oneof(words('*/* text/csv application/x-ndjson text/csv,application/x-ndjson'), header),
      'x-trace-id': header,
      'x-forwarded-for': fc.oneof(fc.ipV4(), fc.ipV6(), header),
    },
    { requiredKeys: [] },
  );
  const method = fc.oneof({ arbitrary: words('GET POST DELETE'), weight: 8 }, words('PUT PATCH OPTIONS HEAD'));
  return fc
    .tuple(method, path, query, headers, bodies(known))
    .map(([verb, address, behind, heads, body]): RawRequest => {
      const hasBody = verb !== 'GET' && verb !== 'HEAD';
      return { method: verb, path: ascii(address + behind), headers: heads, body: hasBody ? body : new Uint8Array() };
    });
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function ascii(text: string): string {
  return text.replaceAll(/[^\x21-\x7e]/g, '%');
}
