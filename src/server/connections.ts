/** How many connections there are at once, and how much is asked over one of them before it is answered. */
import type { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { App } from './request.ts';

/** Some kilobytes each. Peers keep three, proxies a few dozen. */
const MOST = 256;
/** Our own client and every proxy wait for an answer before they ask again. */
const MOST_UNANSWERED = 8;

/**
 * Closes connections that are too many: any one of those on which nobody who showed who it is waits for an answer. So who
 * holds connections open keeps nobody out, and who comes is heard, however many come at once.
 */
export function limitConnections(app: App, most = MOST, random = Math.random): void {
  /** With the calls that are not answered yet. */
  const open = new Map<Socket, Set<FastifyRequest>>();
  const isServed = (calls: ReadonlySet<FastifyRequest>): boolean => [...calls].some(({ caller }) => caller !== null);

  app.server.on('connection', (socket: Socket) => {
    open.set(socket, new Set());
    socket.once('close', () => open.delete(socket));
    if (open.size <= most) return;
    const others = [...open].filter(([one, calls]) => one !== socket && !isServed(calls));
    const [closed] = others[Math.floor(random() * others.length)] ?? [socket];
    open.delete(closed);
    closed.destroy();
  });

  app.addHook('onRequest', async (request, reply) => {
    const calls = open.get(request.socket);
    if (calls === undefined) return;
    calls.add(request);
    reply.raw.once('close', () => calls.delete(request));
    if (calls.size > MOST_UNANSWERED) request.socket.destroy();
  });
}
