/** A stranger sends the trace of somebody else's exchange: its records must not stand among those of that exchange. */
import { expect, test } from 'vitest';
import { asPeer, httpApp, PLUGIN_KEY } from '../../support/http-app.ts';

const forged = { 'x-trace-id': '11111111-2222-4333-8444-555555555555' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };

test('of a stranger the trace is nowhere: not in the log, not in the answer', async () => {
  const { app, logged } = httpApp({ servePlugin: async () => Promise.reject(new Error('reached')) });
  const payload = 'ascSync=1&ascApiKey=wrong';
  const answers = [
    await app.inject({ url: '/v1/hello', headers: forged }),
    await app.inject({ url: '/v1/logs', headers: { ...forged, authorization: 'Bearer nobody-knows-this-key' } }),
    await app.inject({ method: 'POST', url: '/', headers: { ...forged, ...form }, payload }),
    await app.inject({ url: '/health/live', headers: forged }),
    await app.inject({ url: '/nowhere', headers: forged }),
  ];
  for (const { headers, payload: body } of answers) {
    expect(headers['x-trace-id']).not.toBe(forged['x-trace-id']);
    expect(body).not.toContain(forged['x-trace-id']);
  }
  expect(logged).toHaveLength(3);
  for (const { trace } of logged) expect(trace).not.toBe(forged['x-trace-id']);
});

test('of who showed who it is the trace is believed, so that both logs can be joined', async () => {
  const traces: string[] = [];
  const { app } = httpApp({
    serveFeed: async (_peer, _query, { trace }) => {
      traces.push(trace);
      throw new Error('enough');
    },
    servePlugin: async (_peer, _form, { trace }) => {
      traces.push(trace);
      return { httpStatus: 200, body: { status: 'OK', message: '', data: [] } };
    },
  });
  await app.inject({ url: '/v1/feed', headers: { ...asPeer, ...forged } });
  const payload = `ascSync=1&ascApiKey=${PLUGIN_KEY}`;
  await app.inject({ method: 'POST', url: '/', headers: { ...forged, ...form }, payload });
  expect(traces).toEqual([forged['x-trace-id'], forged['x-trace-id']]);
});
