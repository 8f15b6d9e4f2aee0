/** A TCP proxy in front of a server that can be made to vanish or to hang, as networks do. */
import { connect, createServer, type Socket } from 'node:net';

/** `open`: passes on; `shut`: refuses and cuts off; `stalled`: takes connections and bytes, and nothing comes back. */
export type ProxyState = 'open' | 'shut' | 'stalled';

/** A running proxy. */
export interface TcpProxy {
  readonly port: number;
  /** Takes effect at once, on connections that are there too. */
  become(state: ProxyState): void;
  close(): Promise<void>;
}

/** Listens on loopback and passes on to `port` there, which is asked for at each connection. */
export async function startTcpProxy(port: () => number): Promise<TcpProxy> {
  let state: ProxyState = 'open';
  const pairs = new Set<readonly [near: Socket, far: Socket]>();
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (state === 'shut') {
      near.destroy();
      return;
    }
    const far = connect(port(), '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => {
      near.destroy();
      pairs.delete(pair);
    });
    near.on('data', (bytes) => {
      if (state === 'open') far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (state === 'open') near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cutOff = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    port: address.port,
    become(next) {
      // What a stalled connection swallowed is lost, so it cannot go on.
      if (next === 'shut' || (state === 'stalled' && next === 'open')) cutOff();
      state = next;
    },
    async close() {
      cutOff();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
