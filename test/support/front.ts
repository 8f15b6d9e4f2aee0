/**
 * Something in front of a daemon: a proxy on loopback that reads every request and every answer, and may answer itself, break
 * off, or hang, as firewalls, passwords and maintenance pages do.
 */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { listenOnLoopback } from './loopback.ts';

/** A request, or an answer, unpacked. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** What is done instead of passing on: an answer, or something with the connection. */
export type Act = (response: ServerResponse, request: IncomingMessage) => void;

/** What the front does. */
export interface Rules {
  /** Of a request; undefined: it passes. */
  readonly request?: (seen: Seen) => Act | undefined;
  /** Of an answer on its way back. */
  readonly answer?: (seen: Seen & { readonly status: number }) => Act | undefined;
  /** Headers of a request that do not get through. */
  readonly strips?: readonly string[];
}

/** A running front. */
export interface Front {
  readonly url: string;
  rules: Rules;
  /** Requests that came. */
  readonly seen: Seen[];
  close(): Promise<void>;
}

/** A page with a status, as web servers send it. */
export const page =
  (status: number, title = `${status}`, headers: Record<string, string> = {}): Act =>
  (response) =>
    void response
      .writeHead(status, { 'content-type': 'text/html', ...headers })
      .end(
        status === 204 ? '' : `<!doctype html><html><head><title>${title}</title></head><body>${title}</body></html>`,
      );

/** The connection ends without an answer. */
export const breakOff: Act = (_response, request) => void request.socket.destroy();

/** Starts it in front of `target`, which is asked for at every request; with `tls` it speaks HTTPS. */
export async function startFront(
  target: () => string,
  rules: Rules = {},
  tls?: { readonly key: string | Buffer; readonly cert: string | Buffer },
): Promise<Front> {
  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const body = await bytesOf(incoming);
    const seen: Seen = { method, url, headers, text: unpacked(body, headers['content-encoding']) };
    front.seen.push(seen);
    const act = front.rules.request?.(seen);
    if (act !== undefined) return act(outgoing, incoming);
    const passed = Object.fromEntries(
      Object.entries(headers).filter(([name]) => front.rules.strips?.includes(name) !== true),
    );
    const further = ask(new URL(url, target()), { method, headers: passed, agent: false }, (answer) => {
      void (async () => {
        const bytes = await bytesOf(answer);
        const status = answer.statusCode ?? 502;
        const text = unpacked(bytes, answer.headers['content-encoding']);
        const instead = front.rules.answer?.({ method, url, headers: answer.headers, text, status });
        if (instead !== undefined) return instead(outgoing, incoming);
        outgoing.writeHead(status, answer.headers).end(bytes);
      })();
    });
    further.on('error', () => incoming.socket.destroy());
    further.end(body);
  };
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    handle(incoming, outgoing).catch(() => incoming.socket.destroy());
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer({ ...tls }, listener);
  const { url, close } = await listenOnLoopback(server);
  const front: Front = { url: tls === undefined ? url : url.replace('http:', 'https:'), rules, seen: [], close };
  return front;
}

async function bytesOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function unpacked(bytes: Buffer, encoding: string | undefined): string {
  if (encoding === undefined || bytes.length === 0) return bytes.toString('utf8');
  return (encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes)).toString('utf8');
}
