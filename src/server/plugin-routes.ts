/** The door of the PHP plugin's protocol: form-encoded POST to the root. What is inside is src/plugin's business. */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { toPhpJson } from '../plugin/wire.ts';
import { ERRORS, SyncError } from '../model/errors.ts';
import type { BodyShare } from './body-budget.ts';
import { makeBodyBudget } from './body-budget.ts';
import { holdUntilAnswered, LARGE_TEXT } from './body.ts';
import type { ServerDeps } from './deps.ts';
import { settleFailure } from './failure.ts';
import { keyError, refusedBy, type KeyChecks } from './key-check.ts';
import { MOST_BYTES, readPluginForm, type FormHead } from './plugin-body.ts';
import { peerCall, type App } from './request.ts';

/** What the routes need: the protocol behind them, and who may call. */
export interface PluginRouteDeps
  extends Required<Pick<ServerDeps, 'servePlugin'>>, Pick<ServerDeps, 'pluginDoor' | 'log' | 'makeRoom'> {
  readonly checks: Pick<KeyChecks, 'address' | 'failed' | 'succeeded'>;
}

/** Bytes of callers who are not known yet: of all, and of all again, for their addresses may be one proxy's. */
const UNKNOWN_BYTES = 4 * 1024 * 1024;
/** Bytes of plugins: of all, and of one, which sends its rows one after the other. */
const KNOWN_BYTES = 16 * MOST_BYTES;
const BYTES_OF_ONE = 4 * MOST_BYTES;

/** The fields in words; what may really stand in them is read by src/plugin. */
const Fields = Type.Object(
  {
    ascSync: Type.Literal('1'),
    ascApiKey: Type.String({ description: 'Key of a peer that runs the PHP plugin, within the first 64 KiB' }),
    ascAction: Type.Enum(['userStreamPost', 'userStreamPostRemoval', 'userFeedRequest']),
    ascLastUserId: Type.Optional(Type.String({ description: 'userFeedRequest: users with a greater id are wanted' })),
    ascData: Type.Optional(
      Type.Unknown({
        description: 'userStreamPost: the row, as `ascData[column]`; userStreamPostRemoval: the address',
      }),
    ),
  },
  { title: 'PluginForm' },
);
const Answer = Type.String({ description: 'JSON: `status`, `message`, `data`; the status is OK or ERR' });

/** The plugin labels its JSON as HTML, and its clients expect that. */
const HTML = 'text/html; charset=UTF-8';
const FORM = 'application/x-www-form-urlencoded';

/**
 * Adds `/` and `/index.php`. Every answer, refusals too, has the plugin's form: its client fails on an answer whose `data` is
 * no list.
 */
export function pluginRoutes(app: App, deps: PluginRouteDeps): void {
  const { servePlugin, log, makeRoom } = deps;
  app.addContentTypeParser(FORM, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error, request, reply) => {
    const { httpStatus, headers, body } = settleFailure(error, request, log);
    return reply
      .code(httpStatus)
      .headers(headers)
      .type(HTML)
      .send(toPhpJson({ status: 'ERR', message: body.message, data: [] }));
  });
  requireKey(app, deps);
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { peer, call } = peerCall(request);
    const form = request.body as Uint8Array;
    if (form.length > LARGE_TEXT) makeRoom?.();
    const answer = await servePlugin(peer, form, call);
    await reply.code(answer.httpStatus).type(HTML).send(toPhpJson(answer.body));
  };
  // A schema that only describes.
  const validatorCompiler = () => (value: unknown) => ({ value });
  for (const [url, name] of [
    ['/', ''],
    ['/index.php', 'Index'],
  ] as const) {
    app.post(url, { schema: schemaOf(`pluginPost${name}`), validatorCompiler }, handle);
  }
}

/** Hooks that let in who has the key of a peer that runs the plugin, and read no further for anybody else. */
function requireKey(app: App, { pluginDoor, checks }: PluginRouteDeps): void {
  const unknown = makeBodyBudget({ total: () => UNKNOWN_BYTES, perCaller: () => UNKNOWN_BYTES });
  const known = makeBodyBudget({ total: () => KNOWN_BYTES, perCaller: () => BYTES_OF_ONE });

  app.addHook('onRequest', async (request) => {
    if (!pluginDoor.isOpen()) throw new SyncError('NOT_FOUND');
    await checks.address(request);
    const {
      'content-type': type = '',
      'content-encoding': encoding = 'identity',
      'content-length': length,
    } = request.headers;
    if (type.split(';', 1)[0]?.trim().toLowerCase() !== FORM) throw new SyncError('MEDIA_TYPE');
    if (encoding.trim().toLowerCase() !== 'identity') {
      throw new SyncError('MEDIA_TYPE', 'Calls of the plugin are not compressed: send the form plain.');
    }
    if (Number(length) > MOST_BYTES) throw new SyncError('BODY_TOO_LARGE');
  });

  app.addHook('preParsing', async (request, reply, payload) => {
    const identify = async ({ key = '', isCall, action }: FormHead): Promise<BodyShare> => {
      const who = key.trim() === '' ? ({ kind: 'missing' } as const) : pluginDoor.identify(key);
      // Whoever calls something else at this address is nobody who failed.
      if (who.kind === 'missing' && !isCall) throw new SyncError('NOT_FOUND');
      if (who.kind === 'missing' || who.kind === 'invalid') {
        const type = action === 'userFeedRequest' ? 'STREAM' : 'FEED';
        throw await checks.failed(request, refusedBy(who, type), keyError(who));
      }
      checks.succeeded(request, reply, who);
      const share = known.open(who.name);
      holdUntilAnswered(request, reply.raw, share);
      return share;
    };
    const share = unknown.open('');
    try {
      return Readable.from([await readPluginForm(payload, { unknown: share, identify })]);
    } finally {
      share.release();
    }
  });
}

function schemaOf(operationId: string) {
  const told = (description: string) => ({ description, content: { 'text/html': { schema: Answer } } });
  return {
    tags: ['plugin'],
    operationId,
    summary: "The PHP plugin's protocol",
    description:
      'Text is stored as it is sent. The key is a field of the form; the address counts for nothing. At most 1 MiB, not ' +
      'compressed. Without `ascSync=1`, or where no peer runs the plugin, there is nothing here: 404.',
    security: [],
    body: { content: { [FORM]: { schema: Fields } } },
    response: {
      200: told('Done; or ERR: nobody has that address'),
      400: told('The action is unknown, or the form cannot be read'),
      401: told(ERRORS.API_KEY_MISSING.meaning),
      403: told('The key is not that of a peer that runs the plugin, or that direction is switched off'),
      404: told(ERRORS.NOT_FOUND.meaning),
      '4XX': told('The body is too large or no form, or too many keys were refused'),
      '5XX': told('Not now'),
    },
  };
}
