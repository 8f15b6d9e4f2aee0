/** The doors of the PHP plugin's protocol: form-encoded POST to the root. What is inside is src/plugin's business. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { toPhpJson } from '../plugin/wire.ts';
import { ERRORS } from '../model/errors.ts';
import type { Log } from '../runtime/logger.ts';
import type { ServerDeps } from './deps.ts';
import { settleFailure } from './failure.ts';
import type { KeyChecks } from './key-check.ts';
import { addressOf, type App } from './request.ts';

/** What the routes need: the protocol behind them, and where refused keys are counted. */
export interface PluginRouteDeps {
  readonly serve: NonNullable<ServerDeps['servePlugin']>;
  readonly refused: KeyChecks['refused'];
  readonly log: Log;
}

/** The fields in words; what may really stand in them is read by src/plugin. */
const Fields = Type.Object(
  {
    ascSync: Type.Literal('1'),
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

/**
 * Adds `/` and `/index.php`, by POST or GET. Every answer, refusals too, has the plugin's form: its client fails on an answer
 * whose `data` is no list.
 */
export function pluginRoutes(app: App, { serve, refused, log }: PluginRouteDeps): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'buffer' }, (_request, body, done) => {
    done(null, body);
  });
  app.setErrorHandler((error, request, reply) => {
    const { httpStatus, headers, body } = settleFailure(error, request, log);
    return reply
      .code(httpStatus)
      .headers(headers)
      .type(HTML)
      .send(toPhpJson({ status: 'ERR', message: body.message, data: [] }));
  });
  const told = (description: string) => ({ description, content: { 'text/html': { schema: Answer } } });
  const schemaOf = (operationId: string) => ({
    tags: ['plugin'],
    operationId,
    summary: "The PHP plugin's protocol",
    description: 'Text is stored as it is sent. Without `ascSync=1` there is nothing here: 404.',
    security: [{ pluginKey: [] }],
    response: {
      200: told('Done; or ERR: nobody has that address'),
      400: told('The action is unknown, or the form cannot be read'),
      401: told(ERRORS.API_KEY_MISSING.meaning),
      403: told('The key is not known, not for this protocol, or that direction is switched off'),
      404: told(ERRORS.NOT_FOUND.meaning),
      '4XX': told('The body is too large or no form, or too many keys were refused'),
      '5XX': told('Not now'),
    },
  });
  const form = { body: { content: { 'application/x-www-form-urlencoded': { schema: Fields } } } };
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const query = request.url.split('?').slice(1).join('?');
    const answer = await serve({ query, body, trace: request.id, ip: addressOf(request) });
    if (answer.refusedKey !== undefined) await refused(request, answer.refusedKey);
    await reply.code(answer.httpStatus).type(HTML).send(toPhpJson(answer.body));
  };
  // A schema that only describes.
  const validatorCompiler = () => (value: unknown) => ({ value });
  for (const [url, name] of [
    ['/', ''],
    ['/index.php', 'Index'],
  ] as const) {
    app.post(url, { schema: { ...schemaOf(`pluginPost${name}`), ...form }, validatorCompiler }, handle);
    app.get(url, { schema: { ...schemaOf(`pluginGet${name}`), querystring: Fields }, validatorCompiler }, handle);
  }
}
