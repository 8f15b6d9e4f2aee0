/** Peers that confirm whatever they are sent, at once: for measuring a sender by itself. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { PROTOCOL, type Hello, type StreamAnswer, type StreamRequest } from '../src/model/record.ts';

/** Peers under way. */
export interface Sinks {
  urlOf(name: string): string;
  close(): Promise<void>;
}

/** Listens on loopback, one port for each. */
export async function makeSinks(names: readonly string[]): Promise<Sinks> {
  const servers: Server[] = [];
  const urls = new Map<string, string>();
  for (const name of names) {
    const server = createServer((request, response) => {
      void answer(name, request).then((body) => response.setHeader('content-type', 'application/json').end(body));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    servers.push(server);
    urls.set(name, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }
  return {
    urlOf: (name) => urls.get(name) ?? '',
    async close() {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => {
          server.close(resolve);
        });
      }
    },
  };
}

async function answer(name: string, request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  if (request.url?.startsWith('/v1/stream') !== true) return JSON.stringify(helloOf(name));
  const raw = Buffer.concat(parts);
  const text = request.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw;
  const { records } = JSON.parse(text.toString('utf8')) as StreamRequest;
  const results = records.map(() => ({ result: 'applied' as const }));
  return JSON.stringify({ status: 'OK', results } satisfies StreamAnswer);
}

function helloOf(name: string): Hello {
  return {
    status: 'OK',
    site: name,
    peer: 'homes',
    protocols: [PROTOCOL],
    version: '0',
    timezone: true,
    time: new Date().toISOString(),
    receive: true,
    send: true,
    columns: { accept: [], send: [] },
  };
}
