/** A peer that answers what it was told to answer, byte for byte, and remembers what it was asked. */
import { createServer, type Socket } from 'node:net';
import { takeApart, type Message } from './captures.ts';

/** Bytes; or the connection breaks after the request; or nothing comes. */
export type Script = Buffer | 'break' | 'hang';

export interface ScriptedPeer {
  readonly url: string;
  readonly requests: Message[];
  /** What it answers from now on. */
  script: Script;
  close(): Promise<void>;
}

/** Listens on loopback. */
export async function makeScriptedPeer(script: Script): Promise<ScriptedPeer> {
  const sockets = new Set<Socket>();
  const requests: Message[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    let got = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      if (!got.includes('\r\n\r\n')) return;
      const message = takeApart(got);
      if (message.body.length < Number(message.headers.get('content-length') ?? 0)) return;
      requests.push(message);
      if (peer.script === 'break') socket.destroy();
      else if (peer.script !== 'hang') socket.end(peer.script);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const peer: ScriptedPeer = {
    url: `http://127.0.0.1:${port}/`,
    requests,
    script,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return peer;
}

/** An HTTP answer of these parts. */
export function answerOf(status: string, body: string, headers: readonly string[] = []): Buffer {
  const head = [`HTTP/1.1 ${status}`, 'Content-Type: text/html; charset=UTF-8', 'Connection: close', ...headers];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}
