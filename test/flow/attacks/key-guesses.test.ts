/** Keys are guessed, thousands a second: the right one among them must not be told apart from the others. */
import { once } from 'node:events';
import { Agent, request as ask, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { asAdmin, asPeer, httpApp, listening } from '../../support/http-app.ts';

const GUESSES = 6_000;

test(`of ${GUESSES} guesses twenty are judged, and the right key is refused as the wrong ones are`, async () => {
  const { app, logged } = httpApp({ queryLogs: async () => ({ logs: [], next: null }) });
  const origin = await listening(app);
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const statuses = new Map<number | undefined, number>();
  const told = new Set<string>();
  const guess = async (headers: Record<string, string>): Promise<void> => {
    const request = ask(`${origin}/v1/logs`, { agent, headers });
    request.end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const body = await answer.setEncoding('utf8').toArray();
    statuses.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    if (answer.statusCode === 429) told.add(body.join(''));
  };
  const guesses = Array.from({ length: GUESSES }, (_, n) =>
    n > 100 && n % 100 === 0 ? asAdmin : { authorization: `Bearer guess-number-${n}-of-many` },
  );
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let headers = guesses.pop(); headers !== undefined; headers = guesses.pop()) {
        // The right one comes first in this order: those before it have used up the tries.
        await guess(statuses.size === 0 ? { authorization: 'Bearer the-first-guess-of-all' } : headers);
      }
    }),
  );
  agent.destroy();
  expect(new Set(statuses.keys())).toEqual(new Set([403, 429]));
  expect(statuses.get(403)).toBe(20);
  expect([...told]).toHaveLength(1);
  expect(logged.length).toBeLessThanOrEqual(21);
});

test('guesses at the door of the plugin close the native one, and the other way round', async () => {
  const { app } = httpApp({
    servePlugin: async () => ({ httpStatus: 200, body: { status: 'OK', message: '', data: [] } }),
  });
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  for (let n = 0; n < 20; n += 1) {
    await app.inject({ method: 'POST', url: '/', headers, payload: `ascSync=1&ascApiKey=guess-${n}` });
  }
  expect((await app.inject({ url: '/v1/hello', headers: asPeer })).statusCode).toBe(429);
});
