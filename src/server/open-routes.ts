/** Routes that need no key: health and the description of the API. And metrics, which may be opened. */
import { Type } from 'typebox';
import { SyncError } from '../model/errors.ts';
import { Health } from '../model/response-schemas.ts';
import type { ServerDeps } from './deps.ts';
import type { KeyCheck } from './key-check.ts';
import { NoQuerystring } from './request-schemas.ts';
import type { App } from './request.ts';

/** Anybody may ask for the health, as often as they like: the database is asked at most this often. */
const HEALTH_FRESH_MS = 500;

const Probe = Type.Object({ status: Type.Enum(['ok', 'down']) }, { title: 'Probe', description: 'Yes or no' });
const open = (operationId: string, summary: string, response: object) => ({
  tags: ['open'],
  operationId,
  summary,
  security: [],
  querystring: NoQuerystring,
  response,
});

/** Adds the open routes. */
export function openRoutes(app: App, deps: ServerDeps, adminOnly: KeyCheck): void {
  const health = shared(deps.health, HEALTH_FRESH_MS);
  const probe = { exposeHeadRoute: true };

  const healthSchema = open('health', 'Is all well? `degraded` still serves', { 200: Health, 503: Health });
  app.get('/health', { ...probe, schema: healthSchema }, async (_request, reply) => {
    const state = await health();
    return reply.code(state.status === 'down' ? 503 : 200).send(state);
  });

  app.get('/health/live', { ...probe, schema: open('live', 'Does the process run?', { 200: Probe }) }, async () => ({
    status: 'ok' as const,
  }));

  const readySchema = open('ready', 'Can it serve?', { 200: Probe, 503: Probe });
  app.get('/health/ready', { ...probe, schema: readySchema }, async (_request, reply) => {
    const isDown = (await health()).status === 'down';
    return reply.code(isDown ? 503 : 200).send({ status: isDown ? 'down' : 'ok' });
  });

  const Document = Type.Object({}, { description: 'OpenAPI 3.1', additionalProperties: true });
  const documentSchema = { ...open('apiDocument', 'This document', {}), response: { 200: Document } };
  let document: Buffer | undefined;
  // Made once, and sent as it is: anybody may ask for it, and compressing it takes megabytes each time.
  app.get('/openapi.json', { schema: documentSchema, compress: false }, async (_request, reply) => {
    document ??= Buffer.from(JSON.stringify(app.swagger()));
    return reply.type('application/json; charset=utf-8').send(document);
  });

  const metricsSchema = {
    tags: ['admin'],
    operationId: 'metrics',
    summary: 'Metrics for Prometheus',
    description: 'Asks for no token if the config says `http.open_metrics`. docs/metrics.md describes every metric.',
    security: [{ adminToken: [] }],
    querystring: NoQuerystring,
    response: { 200: { description: 'Prometheus text format', content: { 'text/plain': { schema: Type.String() } } } },
  };
  const unlessOpen: KeyCheck = async (request, reply) => {
    if (!deps.openMetrics()) await adminOnly(request, reply);
  };
  app.get('/metrics', { schema: metricsSchema, onRequest: unlessOpen }, async (_request, reply) => {
    if (deps.metrics === undefined) throw new SyncError('NOT_FOUND');
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await deps.metrics());
  });
}

/** One call at a time, whose result serves all who ask within `freshMs` of its end. Failures are not kept. */
function shared<T>(ask: () => Promise<T>, freshMs: number): () => Promise<T> {
  let current: Promise<T> | undefined;
  const askOnce = async (): Promise<T> => {
    try {
      const result = await ask();
      setTimeout(() => {
        current = undefined;
      }, freshMs).unref();
      return result;
    } catch (error) {
      current = undefined;
      throw error;
    }
  };
  return () => (current ??= askOnce());
}
