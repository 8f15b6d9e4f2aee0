/** `GET /v1/logs`: a page as JSON, or everything that matches as NDJSON or CSV. */
import { Readable } from 'node:stream';
import { Type, type Static } from 'typebox';
import { SyncError } from '../model/errors.ts';
import { LogPage } from '../model/response-schemas.ts';
import type { ServerDeps } from './deps.ts';
import { CSV_HEAD, csvLine } from './csv.ts';
import { LogQuerystring, type LogQuery } from './request-schemas.ts';
import type { App } from './request.ts';

/** Records read at a time for an export. */
const EXPORT_PAGE = 250;

/** Text that is sent as it is read. */
const Lines = Type.Unsafe<string | Readable>({ type: 'string' });

type Query = Static<typeof LogQuerystring>;
type Render = (record: LogPage['logs'][number]) => string;

/** Adds the log route. The scope must let only the administrator in. */
export function logRoutes(app: App, deps: ServerDeps): void {
  const schema = {
    tags: ['admin'],
    operationId: 'logs',
    summary: 'Log records, newest first',
    description:
      '`Accept: application/x-ndjson` or `text/csv` exports all that match, or the first `limit` of them if that is given.',
    security: [{ adminToken: [] }],
    querystring: LogQuerystring,
    response: {
      200: {
        description: 'One page, or the export that was asked for',
        content: {
          'application/json': { schema: LogPage },
          'application/x-ndjson': { schema: Lines },
          'text/csv': { schema: Lines },
        },
      },
    },
  };
  app.get('/v1/logs', { schema }, async (request, reply) => {
    const query = toQuery(request.query);
    const accept = request.headers.accept?.toLowerCase() ?? '';
    reply.header('vary', 'accept');
    if (accept.includes('application/x-ndjson')) {
      const lines = await exported(deps, query, request.query.limit, (record) => `${JSON.stringify(record)}\n`);
      return reply.type('application/x-ndjson').send(Readable.from(lines, { highWaterMark: 1 }));
    }
    if (accept.includes('text/csv')) {
      const lines = await exported(deps, query, request.query.limit, csvLine, CSV_HEAD);
      reply.header('content-disposition', 'attachment; filename="account-sync-logs.csv"');
      return reply.type('text/csv; charset=utf-8').send(Readable.from(lines, { highWaterMark: 1 }));
    }
    return deps.queryLogs(query);
  });
}

/** The first page is read before anything is sent, so that a failure there is answered as a failure. */
async function exported(
  deps: ServerDeps,
  query: LogQuery,
  most: number | undefined,
  render: Render,
  head = '',
): Promise<AsyncGenerator<string>> {
  let wanted = most ?? Infinity;
  const read = (from: Partial<LogQuery>): Promise<LogPage> =>
    deps.queryLogs({ ...query, ...from, limit: Math.min(wanted, EXPORT_PAGE) });
  const first = await read({});
  async function* lines(): AsyncGenerator<string> {
    yield head + first.logs.map(render).join('');
    wanted -= first.logs.length;
    for (let { next } = first; next !== null && wanted > 0;) {
      const page = await read(query.after === undefined ? { before: next } : { after: next });
      // A page of a search may be empty.
      if (page.logs.length > 0) yield page.logs.map(render).join('');
      wanted -= page.logs.length;
      next = page.next;
    }
  }
  return lines();
}

function toQuery({ from, to, limit = 100, ...rest }: Query): LogQuery {
  const fromMs = from === undefined ? undefined : instantOf('from', from, 0);
  const toMs = to === undefined ? undefined : instantOf('to', to, 86_399_999);
  return {
    ...rest,
    limit,
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toMs === undefined ? {} : { toMs }),
  };
}

/** `ofDayMs`: which moment of the day a bare date means. */
function instantOf(name: string, text: string, ofDayMs: number): number {
  const isDate = text.length === 10;
  const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(text.slice(10));
  const ms = Date.parse(isDate || hasZone ? text.replace(' ', 'T') : `${text.replace(' ', 'T')}Z`);
  if (Number.isNaN(ms)) {
    throw new SyncError('REQUEST_INVALID', `${name}: no such date or time (got ${JSON.stringify(text)})`);
  }
  return isDate ? ms + ofDayMs : ms;
}
