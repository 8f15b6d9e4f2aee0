/** An HTTP proxy that passes everything on as it is and remembers every exchange. */
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { Exchange } from './api-contract.ts';
import { listenOnLoopback } from './loopback.ts';

/** A running proxy. */
export interface RecordingProxy {
  /** Address that stands for the target. */
  readonly url: string;
  /** In the order in which they ended. */
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Starts a proxy to `target` on loopback; it is asked for at every request. */
export async function startRecordingProxy(target: () => string): Promise<RecordingProxy> {
  const exchanges: Exchange[] = [];
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const { method = 'GET', url = '/', headers } = incoming;
    const further = ask(new URL(url, target()), { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        outgoing.write(chunk);
      });
      answer.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const body = unpacked(bytes, answer.headers['content-encoding']);
        const type = answer.headers['content-type'] ?? '';
        exchanges.push({ method, url, status: answer.statusCode ?? 0, type, body: body.toString('utf8') });
        outgoing.end();
      });
    });
    further.on('error', () => incoming.socket.destroy());
    incoming.pipe(further);
  };
  const server = createServer(pass);
  return { ...(await listenOnLoopback(server)), exchanges };
}

function unpacked(bytes: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined || bytes.length === 0) return bytes;
  return encoding === 'br' ? brotliDecompressSync(bytes) : gunzipSync(bytes);
}
