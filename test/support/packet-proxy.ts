/**
 * A proxy in front of a database server that closes the connection, without a word, on which a longer packet comes than it
 * bears: as servers do with `max_allowed_packet`, and what pools connections for them with a limit of its own.
 */
import { connect, createServer, type Socket } from 'node:net';

/** A running proxy. */
export interface PacketProxy {
  readonly port: number;
  /** Longest packet in bytes. */
  mostBytes: number;
  /** Connections that it closed for that. */
  closed(): number;
  close(): Promise<void>;
}

/** Listens on loopback and passes on to `port` there. */
export async function startPacketProxy(port: () => number, mostBytes = Infinity): Promise<PacketProxy> {
  const sockets = new Set<Socket>();
  let closed = 0;
  const server = createServer((near) => {
    const far = connect(port(), '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    // What is left of the packet under way, and what came of the next header: 3 bytes of length, one of number.
    let left = 0;
    let header: number[] = [];
    near.on('data', (bytes: Buffer) => {
      let at = 0;
      while (at < bytes.length) {
        if (left > 0) {
          const step = Math.min(left, bytes.length - at);
          [left, at] = [left - step, at + step];
          continue;
        }
        header.push(bytes[at] ?? 0);
        at += 1;
        if (header.length < 4) continue;
        const [low = 0, middle = 0, high = 0] = header;
        [left, header] = [low + middle * 256 + high * 65_536, []];
        if (left <= proxy.mostBytes) continue;
        closed += 1;
        near.destroy();
        return;
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => near.write(bytes));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const proxy: PacketProxy = {
    port: address.port,
    mostBytes,
    closed: () => closed,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
  return proxy;
}
