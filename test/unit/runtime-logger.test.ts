import { expect, test } from 'vitest';
import { makeLogger, type LogThreshold } from '../../src/runtime/logger.ts';

const SECRET = 'hunter2-hunter2-hunter2';

function written(level: LogThreshold = 'debug') {
  const lines: string[] = [];
  const log = makeLogger({ level, destination: { write: (line: string) => void lines.push(line) } });
  return { log, lines, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a line is JSON with level, time, fields and a phrase', () => {
  const { log, records } = written();
  log.child({ peer: 'homes' }).info({ sent: 3 }, 'batch delivered');
  expect(records()[0]).toMatchObject({ level: 'info', peer: 'homes', sent: 3, msg: 'batch delivered' });
  expect(records()[0]?.['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('a level can be changed while the log is used', () => {
  const { log, lines } = written('warn');
  log.info({}, 'one');
  log.setLevel('debug');
  log.child({}).debug({}, 'two');
  expect(lines).toHaveLength(1);
});

test.each([
  ['trace', 4],
  ['debug', 4],
  ['info', 3],
  ['warn', 2],
  ['error', 1],
  ['fatal', 0],
  ['silent', 0],
] as const)('from level %s on, %i of four lines are written', (level, count) => {
  const { log, lines } = written(level);
  for (const one of ['debug', 'info', 'warn', 'error'] as const) log[one]({}, one);
  expect(lines).toHaveLength(count);
});

test.each([
  { apiKey: SECRET },
  { api_key: SECRET },
  { 'x-api-key': SECRET },
  { site: { url: 'x', api_key: [SECRET] } },
  { request: { headers: { Authorization: `Bearer ${SECRET}` } } },
  { peers: [{ name: 'homes', apiKeys: [SECRET] }] },
  { config: { http: { adminToken: SECRET, admin_token: SECRET } } },
  { row: { s_password: SECRET, s_secret: SECRET, s_pass_code: SECRET } },
  { database: { password: SECRET } },
  { text: `authorization: Bearer ${SECRET}` },
  { body: `ascSync=1&ascApiKey=${SECRET}&ascAction=x` },
  { url: `mysql://root:${SECRET}@127.0.0.1/x` },
  { err: new Error(`refused Bearer ${SECRET}`, { cause: new Error(`token=${SECRET}`) }) },
  { err: Object.assign(new Error('failed'), { sql: `UPDATE x SET y='${SECRET}'`, parameters: [SECRET] }) },
])('no secret gets into a line: %#', (fields) => {
  const { log, lines } = written();
  log.error(fields, 'something happened');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(SECRET);
});

test('no password hash gets into a line', () => {
  const { log, lines } = written();
  log.error({ note: '$2y$10$abcdefghijklmnopqrstuv1234567890' }, 'x');
  expect(lines[0]).not.toContain('abcdefghijkl');
});

test('the digest of a key, and names that only look like secrets, stay', () => {
  const { log, records } = written();
  log.info({ key: 'a1b2c3d4', keyDigest: 'a1b2c3d4', tokens_left: 3, passes: 2, passed: true }, 'x');
  expect(records()[0]).toMatchObject({
    key: 'a1b2c3d4',
    keyDigest: 'a1b2c3d4',
    tokens_left: 3,
    passes: 2,
    passed: true,
  });
});

test('errors are told with code, stack and cause; cycles and bytes do no harm', () => {
  const { log, records } = written();
  const loop: Record<string, unknown> = { bytes: new Uint8Array(3) };
  loop['self'] = loop;
  log.error({ err: Object.assign(new Error('outer', { cause: new Error('inner') }), { code: 'E1' }), loop }, 'x');
  expect(records()[0]).toMatchObject({
    err: { type: 'Error', message: 'outer', code: 'E1', cause: { message: 'inner' } },
    loop: { bytes: '[3 bytes]', self: '[circular]' },
  });
});
