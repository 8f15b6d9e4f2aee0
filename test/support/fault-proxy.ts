/**
 * An HTTP proxy between two daemons that misbehaves on demand: refuses, loses the answer after the request was carried
 * out, sends a request twice, or answers 503.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from './loopback.ts';

/** What happens to a request. */
export type HttpFault = 'none' | 'refuse' | 'lose-answer' | 'twice' | 'unavailable';

/** A running proxy. */
export interface FaultProxy {
  /** Address that stands for the target. */
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a proxy to `target` on loopback; `fault` is asked for every request. */
export async function startFaultProxy(target: () => string, fault: () => HttpFault): Promise<FaultProxy> {
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const what = fault();
    if (what === 'refuse') {
      request.socket.destroy();
      return;
    }
    if (what === 'unavailable') {
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"status":"ERR"}');
      return;
    }
    const send = (): Promise<Response> =>
      fetch(new URL(request.url ?? '/', target()), {
        method: request.method ?? 'GET',
        headers: forwarded(request),
        ...(body.length === 0 ? {} : { body }),
      });
    if (what === 'twice') await (await send()).arrayBuffer();
    const answer = await send();
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (what === 'lose-answer') request.socket.destroy();
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(bytes);
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.destroy());
  });
  return await listenOnLoopback(server);
}

function forwarded(request: IncomingMessage): Record<string, string> {
  const names = ['authorization', 'content-type', 'content-encoding', 'x-trace-id', 'accept'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = request.headers[name];
      return typeof value === 'string' ? [[name, value]] : [];
    }),
  );
}
