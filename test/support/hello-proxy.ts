/** An HTTP proxy in front of a daemon that takes from its greeting what version 0.1.0 did not say, and keeps what is sent. */
import { createServer, type IncomingMessage } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { listenOnLoopback } from './loopback.ts';

/** A running proxy. */
export interface HelloProxy {
  /** Address that stands for the target. */
  readonly url: string;
  /** Bodies of requests, unpacked. */
  readonly sent: readonly string[];
  close(): Promise<void>;
}

/** Starts a proxy to `target` on loopback; it is asked for at every request. */
export async function startHelloProxy(target: () => string): Promise<HelloProxy> {
  const sent: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void pass(incoming).then(
      ({ status, type, body }) => outgoing.writeHead(status, { 'content-type': type }).end(body),
      () => outgoing.destroy(),
    );
  });
  const pass = async (incoming: IncomingMessage): Promise<{ status: number; type: string; body: string }> => {
    const { method = 'GET', url = '/', headers } = incoming;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks);
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
    sent.push(body.toString('utf8'));
    const answer = await fetch(new URL(url, target()), {
      method,
      headers: {
        authorization: headers.authorization ?? '',
        'x-trace-id': String(headers['x-trace-id'] ?? ''),
        ...(headers['content-type'] === undefined ? {} : { 'content-type': headers['content-type'] }),
      },
      ...(raw.length === 0 ? {} : { body: new Uint8Array(body) }),
    });
    const text = await answer.text();
    const type = answer.headers.get('content-type') ?? '';
    if (!url.startsWith('/v1/hello') || answer.status !== 200) return { status: answer.status, type, body: text };
    const { features: _, installation: __, ...hello } = JSON.parse(text) as Record<string, unknown>;
    return { status: 200, type, body: JSON.stringify(hello) };
  };
  return { ...(await listenOnLoopback(server)), sent };
}
