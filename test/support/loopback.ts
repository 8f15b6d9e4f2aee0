/** HTTP servers of tests, on a free port of loopback. */
import type { Server } from 'node:http';

/** A server that listens. */
export interface Listening {
  /** With a slash at the end. */
  readonly url: string;
  /** Ends all connections, at once. */
  close(): Promise<void>;
}

/** Lets `server` listen on a free port of 127.0.0.1. */
export async function listenOnLoopback(server: Server): Promise<Listening> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
