/** Calls of one peer that are under way at a time: counted once it is known who calls, and before a body is read. */
import type { ServerDeps } from './deps.ts';
import { peerCall, type App } from './request.ts';

/** The scope must let only peers in. */
export function limitCalls(app: App, { enterCall }: Pick<ServerDeps, 'enterCall'>): void {
  if (enterCall === undefined) return;
  app.addHook('onRequest', async (request, reply) => {
    const leave = enterCall(peerCall(request).peer);
    // Comes after the answer, and where the caller is gone before it.
    reply.raw.once('close', leave);
  });
}
