/** JSON that is small on the wire and large once it is parsed, or strange: refused in time, and nothing is left of it. */
import { expect, test } from 'vitest';
import { asPeer, httpApp } from '../../support/http-app.ts';

const MIB = 1024 * 1024;
const headers = { ...asPeer, 'content-type': 'application/json' };
const post = async (payload: string, maxBodyBytes = 16 * MIB) => {
  const { app } = httpApp({
    maxBodyBytes: () => maxBodyBytes,
    acceptStream: async () => ({ status: 'OK', results: [] }),
  });
  const answer = await app.inject({ method: 'POST', url: '/v1/stream', headers, payload });
  return [answer.statusCode, answer.json<{ code?: string }>().code];
};

test.each([
  ['five million empty objects', `{"site":"homes","records":[${'{},'.repeat(5_000_000)}{}]}`, [413, 'BODY_TOO_LARGE']],
  ['seven million empty lists', `[${'[],'.repeat(5_000_000)}[]]`, [413, 'BODY_TOO_LARGE']],
  ['five million levels', '['.repeat(5_000_000), [413, 'BODY_TOO_LARGE']],
  ['a million levels that end', '['.repeat(900_000) + ']'.repeat(900_000), [422, 'REQUEST_INVALID']],
  ['a name that is a prototype', '{"site":"homes","records":[],"__proto__":{"x":1}}', [400, 'BODY_UNREADABLE']],
  ['the same, below', '{"site":"homes","records":[{"__proto__":{"x":1}}]}', [400, 'BODY_UNREADABLE']],
  [
    'the same, in other letters',
    String.raw`{"site":"homes","records":[],"__pro\u0074o__":{"x":1}}`,
    [400, 'BODY_UNREADABLE'],
  ],
  ['a constructor', '{"site":"homes","records":[],"constructor":{"prototype":{"x":1}}}', [400, 'BODY_UNREADABLE']],
  ['a name twice, the second wrong', '{"site":"homes","records":[],"records":7}', [422, 'REQUEST_INVALID']],
] as const)('%s', async (_what, payload, expected) => {
  expect(await post(payload)).toEqual(expected);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});
