/** A TCP proxy in front of a database server that sees how each connection ends: with COM_QUIT, or broken off. */
import { connect, createServer, type Socket } from 'node:net';

/** A running proxy. */
export interface GoodbyeProxy {
  readonly port: number;
  /** Connections that ended by now, and how many of these without a goodbye: servers count and log those as aborted. */
  ended(): { readonly all: number; readonly abrupt: number };
  /** Connections that are open. */
  open(): number;
  close(): Promise<void>;
}

/** A packet of one byte, the first of an exchange: the command 1. */
const COM_QUIT = Buffer.from([1, 0, 0, 0, 1]);

/** Listens on loopback and passes on to `port` there. */
export async function startGoodbyeProxy(port: number): Promise<GoodbyeProxy> {
  const near = new Set<Socket>();
  let [all, abrupt] = [0, 0];
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    near.add(client);
    let last = Buffer.alloc(0);
    client.on('data', (bytes: Buffer) => {
      last = Buffer.concat([last, bytes]).subarray(-COM_QUIT.length);
      far.write(bytes);
    });
    far.on('data', (bytes) => client.write(bytes));
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      all += 1;
      if (!last.equals(COM_QUIT)) abrupt += 1;
      near.delete(client);
      client.destroy();
      far.destroy();
    };
    for (const socket of [client, far]) socket.on('error', over).on('end', over).on('close', over);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    ended: () => ({ all, abrupt }),
    open: () => near.size,
    async close() {
      for (const socket of near) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
