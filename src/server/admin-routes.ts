/** Routes for administrators: peers, feeds, what waits and what is parked. */
import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { SyncError } from '../model/errors.ts';
import {
  FeedProgress,
  LinkOutcome,
  ParkedPage,
  PeerDetail,
  PeerPage,
  PendingPage,
  ReleaseOutcome,
  RetryOutcome,
  RunOutcome,
} from '../model/response-schemas.ts';
import type { ServerDeps } from './deps.ts';
import {
  ApproveBody,
  EntryQuerystring,
  FeedBody,
  FollowQuerystring,
  LinkBody,
  NoQuerystring,
  ParkedParams,
  PeerParams,
} from './request-schemas.ts';
import { actorOf, type App } from './request.ts';

const Done = Type.Object({ status: Type.Literal('OK') }, { title: 'Done', description: 'Done' });
const Nothing = Type.Union([Type.Null(), Type.Object({}, { additionalProperties: false })], { title: 'Nothing' });
const admin = { tags: ['admin'], security: [{ adminToken: [] }] };
const plain = { ...admin, querystring: NoQuerystring };

/** Adds the admin routes. The scope must let only the administrator in. */
export function adminRoutes(app: App, deps: ServerDeps): void {
  peerRoutes(app, deps);
  feedRoutes(app, deps);
  entryRoutes(app, deps);
  linkRoutes(app, deps);
}

function peerRoutes(app: App, deps: ServerDeps): void {
  const listSchema = { ...plain, operationId: 'listPeers', summary: 'All peers', response: { 200: PeerPage } };
  app.get('/v1/peers', { schema: listSchema }, async () => ({ peers: [...(await deps.listPeers())], next: null }));

  const oneSchema = {
    ...plain,
    operationId: 'getPeer',
    summary: 'One peer, with its last 20 log records',
    params: PeerParams,
    response: { 200: PeerDetail },
  };
  app.get('/v1/peers/:name', { schema: oneSchema }, async (request) => deps.peerDetail(request.params.name));

  const approveSchema = {
    ...plain,
    operationId: 'approveRemovals',
    summary: 'Lets through what the guard holds for this peer, in and out',
    params: PeerParams,
    body: ApproveBody,
    response: { 200: Type.Intersect([Done, ReleaseOutcome], { description: 'How many went through' }) },
  };
  app.post('/v1/peers/:name/approve', { schema: approveSchema }, async (request) => ({
    status: 'OK' as const,
    ...(await deps.approve(request.params.name, actorOf(request), {
      only: request.body?.class,
      dryRun: request.body?.dry_run === true,
    })),
  }));
}

function feedRoutes(app: App, { feedControl }: ServerDeps): void {
  const url = '/v1/peers/:name/feed';
  const feed = { ...plain, params: PeerParams };
  const startSchema = {
    ...feed,
    operationId: 'startFeed',
    summary: 'Starts a feed',
    querystring: FollowQuerystring,
    body: FeedBody,
    response: {
      200: {
        description: 'With `follow`: what happens, one event a line, until `end`, `stopped` or `failed`',
        content: { 'application/x-ndjson': { schema: Type.Unsafe<string | Readable>({ type: 'string' }) } },
      },
      202: FeedProgress,
    },
  };
  app.post(url, { schema: startSchema }, async (request, reply) => {
    const { restart = false, dry_run: dryRun = false, once = false, overwrite = false } = request.body ?? {};
    const { follow: site } = request.query;
    if (site !== undefined) {
      const closed = new AbortController();
      reply.raw.once('close', () => closed.abort());
      const options = { restart, dryRun, once, overwrite };
      const events = await feedControl.follow(request.params.name, site, options, closed.signal);
      return reply.type('application/x-ndjson').send(Readable.from(linesOf(events), { highWaterMark: 1 }));
    }
    return reply.code(202).send(await feedControl.start(request.params.name, { restart, dryRun, once, overwrite }));
  });

  const answers = { 200: FeedProgress };
  app.get(
    url,
    { schema: { ...feed, operationId: 'feedProgress', summary: 'How far the feed is', response: answers } },
    async (request) => feedControl.progress(request.params.name),
  );
  app.delete(
    url,
    { schema: { ...feed, operationId: 'stopFeed', summary: 'Stops the feed', response: answers } },
    async (request) => feedControl.stop(request.params.name),
  );
}

async function* linesOf(events: AsyncIterable<object>): AsyncGenerator<string> {
  for await (const event of events) yield `${JSON.stringify(event)}\n`;
}

function entryRoutes(app: App, deps: ServerDeps): void {
  const runSchema = {
    ...plain,
    operationId: 'runStream',
    summary: 'Drains and delivers now; answers when everything that can be sent is sent',
    body: Nothing,
    response: { 200: Type.Intersect([Done, RunOutcome], { description: 'What was done' }) },
  };
  app.post('/v1/stream/run', { schema: runSchema }, async () => ({
    status: 'OK' as const,
    ...(await deps.runStream()),
  }));

  const list = { ...admin, querystring: EntryQuerystring };
  const pendingSchema = {
    ...list,
    operationId: 'listPending',
    summary: 'Users still to be sent',
    response: { 200: PendingPage },
  };
  app.get('/v1/pending', { schema: pendingSchema }, async (request) => deps.pending({ limit: 100, ...request.query }));

  const parkedSchema = {
    ...list,
    operationId: 'listParked',
    summary: 'What waits for a person',
    response: { 200: ParkedPage },
  };
  app.get('/v1/parked', { schema: parkedSchema }, async (request) =>
    deps.parked.list({ limit: 100, ...request.query }),
  );

  const one = { ...plain, params: ParkedParams };
  const retrySchema = {
    ...one,
    operationId: 'retryParked',
    summary: 'Tries a parked entry again, now',
    body: Nothing,
    response: { 200: Type.Intersect([Done, RetryOutcome], { description: 'What came of it' }) },
  };
  app.post('/v1/parked/:id/retry', { schema: retrySchema }, async (request) => {
    const outcome = await deps.parked.retry(request.params.id, actorOf(request));
    if (outcome === undefined) throw nothingParked();
    return { status: 'OK' as const, ...outcome };
  });
  const dropSchema = { ...one, operationId: 'dropParked', summary: 'Gives a parked entry up', response: { 200: Done } };
  app.delete('/v1/parked/:id', { schema: dropSchema }, async (request) => {
    if (!(await deps.parked.drop(request.params.id, actorOf(request)))) throw nothingParked();
    return { status: 'OK' as const };
  });
}

function linkRoutes(app: App, deps: ServerDeps): void {
  const answer = Type.Intersect([Done, LinkOutcome], { description: 'What came of it' });
  const pair = { ...plain, body: LinkBody, response: { 200: answer } };
  const linkSchema = {
    ...pair,
    operationId: 'linkAccounts',
    summary: "The account here and that of the same address at the peer are one person's: merges what waits",
  };
  app.post('/v1/link', { schema: linkSchema }, async (request) => {
    const { email, peer, dry_run: dryRun = false } = request.body;
    return { status: 'OK' as const, ...(await deps.link({ email, peer, dryRun }, actorOf(request))) };
  });
  const unlinkSchema = {
    ...pair,
    operationId: 'unlinkAccounts',
    summary: 'They are two: keeps both, and the one here goes its own way',
  };
  app.post('/v1/unlink', { schema: unlinkSchema }, async (request) => {
    const { email, peer, dry_run: dryRun = false } = request.body;
    return { status: 'OK' as const, ...(await deps.unlink({ email, peer, dryRun }, actorOf(request))) };
  });
}

function nothingParked(): SyncError {
  return new SyncError('NOT_FOUND', 'Nothing is parked under this id.');
}
