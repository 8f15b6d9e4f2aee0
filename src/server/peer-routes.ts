/** Routes for other daemons, each with its own signature or key. */
import { FeedPage, Hello, StreamAnswer, StreamRequest } from '../model/record.ts';
import { INSTALLATION, installationIn } from '../model/feed-owner.ts';
import { CALL_BACK, CALLED_BACK, nonceIn } from '../peer/call-back.ts';
import type { ServerDeps } from './deps.ts';
import { FeedQuerystring, NoQuerystring } from './request-schemas.ts';
import { peerCall, type App } from './request.ts';

const peers = { tags: ['peers'], security: [{ peerSignature: [] }, { peerKey: [] }] };

/** Adds the peer routes. The scope must let only peers in. */
export function peerRoutes(app: App, deps: ServerDeps): void {
  const helloSchema = {
    ...peers,
    operationId: 'hello',
    summary: 'Our name, protocols, time, columns and keys; proves that we know the caller',
    querystring: NoQuerystring,
    response: { 200: Hello },
  };
  app.get('/v1/hello', { schema: helloSchema }, async (request) => {
    const { headers } = request;
    return deps.hello(peerCall(request).peer, {
      callBack: nonceIn(headers[CALL_BACK]),
      calledBack: nonceIn(headers[CALLED_BACK]),
      installation: installationIn(headers[INSTALLATION]),
    });
  });

  const feedSchema = {
    ...peers,
    operationId: 'feed',
    summary: 'One page of active and enabled users, by id, with totals',
    querystring: FeedQuerystring,
    response: { 200: FeedPage },
  };
  app.get('/v1/feed', { schema: feedSchema }, async (request) => {
    const { peer, call } = peerCall(request);
    const { after = 0, limit = 1000, times, rows, proofs, only } = request.query;
    const how = { ...(times === undefined ? {} : { times }), ...(only === undefined ? {} : { only }) };
    return deps.serveFeed(peer, { after, limit, rows: rows === 'said', proofs: proofs === 'said', ...how }, call);
  });

  const streamSchema = {
    ...peers,
    operationId: 'stream',
    summary: 'A batch of records; one result per record, in order',
    querystring: NoQuerystring,
    body: StreamRequest,
    response: { 200: StreamAnswer },
  };
  app.post('/v1/stream', { schema: streamSchema }, async (request) => {
    const { peer, call } = peerCall(request);
    return deps.acceptStream(peer, request.body, call);
  });
}
