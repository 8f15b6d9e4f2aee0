/** The HTTP server, apart from listening: `app.inject` tests it whole, daemon.ts calls `listen` and `close`. */
import { constants as zlib } from 'node:zlib';
import compress from '@fastify/compress';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, { type FastifyHttpOptions, type FastifyReply, type RawServerDefault } from 'fastify';
import { SyncError } from '../model/errors.ts';
import { withoutOuter } from '../model/trim-text.ts';
import { adminRoutes } from './admin-routes.ts';
import { makeBodyBudget } from './body-budget.ts';
import { readBodies } from './body.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { limitConnections } from './connections.ts';
import type { ServerDeps } from './deps.ts';
import { failureOf, settleFailure } from './failure.ts';
import { makeKeyChecks } from './key-check.ts';
import { logRoutes } from './log-routes.ts';
import { openRoutes } from './open-routes.ts';
import { describeApi } from './openapi.ts';
import { peerRoutes } from './peer-routes.ts';
import { limitCalls } from './limit-calls.ts';
import { pluginRoutes } from './plugin-routes.ts';
import type { App } from './request.ts';
import { newTrace } from '../runtime/trace.ts';
import { compileValidator } from './validation.ts';

const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 15_000;

/** Of bodies that are held at once, beside the largest of one caller. */
const BYTES_BESIDE = 4 * 1024 * 1024;
/** What one caller may hold, however small its bodies have to be: their values count as well. */
const LEAST_OF_CALLER = 1024 * 1024;

/** Answers are data for programs: no browser has any business with them. */
const SAFE_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const;

/**
 * A Fastify instance with every route behind `basePath`. `await app.listen({ host, port })` opens it;
 * `await app.close()` ends it: what is under way is answered, what comes new gets 503.
 */
export function makeApp(deps: ServerDeps): App {
  const app: App = fastify(settingsOf(deps)).withTypeProvider<TypeBoxTypeProvider>();
  let closing = false;
  const prefix = prefixOf(deps.basePath);
  const isStopping = (): boolean => closing || deps.isStopping();

  app.addHook('preClose', async () => {
    closing = true;
  });
  app.decorateRequest('caller', null);
  app.decorateRequest('inflating', null);
  app.decorateRequest('provesBody', null);
  app.decorateRequest('bodyShare', null);
  app.removeAllContentTypeParsers();
  app.setValidatorCompiler(compileValidator);
  // The schemas of answers describe; they take nothing away and change nothing.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  answerFailures(app, deps);
  limitConnections(app, deps.mostConnections);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ ...SAFE_HEADERS, 'x-trace-id': request.id });
    if (isStopping() && !request.url.endsWith('/health/live')) throw new SyncError('STOPPING');
    // Before a body is read: whatever it is, it has come to nowhere.
    if (request.is404) throw new SyncError('NOT_FOUND');
  });

  // A connection that outlives its last answer would hold up the end until somebody closes it.
  app.addHook('onSend', async (request, reply) => {
    request.bodyShare?.release();
    if (isStopping()) reply.header('connection', 'close');
  });

  app.addHook('onResponse', async (request, reply) => {
    const { url, method } = request.routeOptions;
    // Methods and addresses that exist: a caller must not be able to make up labels.
    const known =
      url === undefined
        ? { method: 'any', route: 'unknown' }
        : { method: String(method), route: url.slice(prefix.length) };
    deps.onAnswered?.({ ...known, status: String(reply.statusCode), seconds: reply.elapsedTime / 1000 });
  });

  void app.register(compress, {
    globalDecompression: false,
    encodings: ['br', 'gzip'],
    // A page of a feed has a tenth less bytes than with gzip at 6, for as much time.
    brotliOptions: { params: { [zlib.BROTLI_PARAM_QUALITY]: 5 } },
    zlibOptions: { level: 4 },
    customTypes: /^text\/|[/+]json\b|ndjson\b/,
  });
  void describeApi(app, prefix);

  void app.register(
    async (scope: App) => {
      const checks = makeKeyChecks(deps);
      const ofCaller = (): number => Math.max(deps.maxBodyBytes(), LEAST_OF_CALLER);
      const budget = makeBodyBudget({ total: () => ofCaller() + BYTES_BESIDE, perCaller: ofCaller });
      const bodies = { maxBytes: deps.maxBodyBytes, budget, makeRoom: deps.makeRoom };
      await scope.register(async (open: App) => openRoutes(open, deps, checks.admin));
      await scope.register(async (peers: App) => {
        peers.addHook('onRequest', checks.peer);
        limitCalls(peers, deps);
        readBodies(peers, bodies);
        peerRoutes(peers, deps);
      });
      await scope.register(async (admin: App) => {
        admin.addHook('onRequest', checks.admin);
        readBodies(admin, bodies);
        logRoutes(admin, deps);
        adminRoutes(admin, deps);
      });
      const { servePlugin } = deps;
      if (servePlugin !== undefined) {
        await scope.register(async (plugin: App) => pluginRoutes(plugin, { ...deps, servePlugin, checks }));
      }
    },
    { prefix },
  );
  return app;
}

function settingsOf(deps: ServerDeps): FastifyHttpOptions<RawServerDefault> {
  const requestTimeout = deps.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  return {
    logger: false,
    genReqId: newTrace,
    requestIdHeader: false,
    // Known from the beginning, so the compilers that come with Fastify are not even loaded.
    schemaController: { compilersFactory: { buildValidator: neverAsked, buildSerializer: neverAsked } },
    // Its own limit cannot change; readBodies keeps ours.
    bodyLimit: Number.MAX_SAFE_INTEGER,
    trustProxy: deps.trustProxy,
    requestTimeout,
    // Node looks for slow requests only this often; its default of 30 s would double our limit.
    http: { connectionsCheckingInterval: 500, headersTimeout: Math.min(requestTimeout, HEADERS_TIMEOUT_MS) },
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      const failure = failureOf(error, request.id);
      // The types of this hook know no schema-less reply.
      const plain = reply as unknown as FastifyReply;
      void plain.code(failure.httpStatus).headers(SAFE_HEADERS).send(failure.body);
    },
  };
}

/** makeApp sets compilers for every route. */
function neverAsked(): never {
  throw new TypeError('A route without our compilers.');
}

function answerFailures(app: App, deps: ServerDeps): void {
  app.setErrorHandler((error, request, reply) => {
    const { httpStatus, headers, body } = settleFailure(error, request, deps.log);
    return reply.code(httpStatus).headers(headers).send(body);
  });
  app.setNotFoundHandler(() => {
    throw new SyncError('NOT_FOUND');
  });
}

/** `/`, `account-sync/`, `/account-sync` → ``, `/account-sync`, `/account-sync`. */
function prefixOf(basePath: string): string {
  const path = withoutOuter(basePath, '/');
  return path === '' ? '' : `/${path}`;
}
