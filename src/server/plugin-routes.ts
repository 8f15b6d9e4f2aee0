/** The doors of the PHP plugin's protocol: form-encoded POST to the root. What is inside is src/plugin's business. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toPhpJson } from '../plugin/wire.ts';
import type { Log } from '../runtime/logger.ts';
import type { ServerDeps } from './deps.ts';
import { settleFailure } from './failure.ts';
import type { KeyChecks } from './key-check.ts';
import { addressOf, type App } from './request.ts';

/** What the doors need: the protocol behind them, and where refused keys are counted. */
export interface PluginDoors {
  readonly serve: NonNullable<ServerDeps['servePlugin']>;
  readonly refused: KeyChecks['refused'];
  readonly log: Log;
}

/** So the plugin says, though it is JSON. */
const HTML = 'text/html; charset=UTF-8';

/**
 * Adds `/` and `/index.php`, by POST or GET. Every answer, refusals too, has the plugin's form: its client dies of an answer
 * whose `data` is no list.
 */
export function pluginRoutes(app: App, { serve, refused, log }: PluginDoors): void {
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
  const schema = { tags: ['peers'], summary: "The PHP plugin's protocol, form-encoded" };
  const handle = async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const query = request.url.split('?').slice(1).join('?');
    const answer = await serve({ query, body, trace: request.id, ip: addressOf(request) });
    if (answer.refusedKey !== undefined) await refused(request, answer.refusedKey);
    return await reply.code(answer.httpStatus).type(HTML).send(toPhpJson(answer.body));
  };
  for (const url of ['/', '/index.php']) {
    app.post(url, { schema }, handle);
    app.get(url, { schema }, handle);
  }
}
