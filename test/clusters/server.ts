/** A server of a cluster: started, stopped, killed and started again on the same data. */
import { setTimeout as wait } from 'node:timers/promises';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import {
  preparePrivateServer,
  type PreparedServer,
  type ServerProgram,
} from '../../scripts/database/private-server.js';
import type { Leftover } from '../../scripts/guard.js';
import { freePort } from '../../scripts/free-port.js';

/** Whoever starts servers says what is to be got rid of in the end, and tells people what is going on. */
export interface Around {
  readonly later: (leftover: Leftover) => void;
  readonly say: (line: string) => void;
}

/** One server. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly prepared: PreparedServer;
  /** `mysql://root:…@127.0.0.1:port/` */
  url(): string;
  login(): { host: string; port: number; user: string; password: string };
  /** Starts it and waits until it answers; further arguments are for this time only. */
  start(more?: readonly string[]): Promise<void>;
  /** As an administrator stops it, or, by SIGKILL, as a machine that loses its power. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** One statement, or several one after the other, as root on a connection of their own; gives the rows of the last. */
  ask(...statements: string[]): Promise<RowDataPacket[]>;
}

/** How it is made. */
export interface ServerOptions {
  readonly program: ServerProgram;
  readonly around: Around;
  readonly runAs?: { user: string; uid: number } | undefined;
  /** Of its root: the same on all servers of a cluster, as each gets the accounts of another. */
  readonly password: string;
  /** Arguments of every start. */
  readonly settings?: readonly string[];
}

/** Makes a server with data of its own, set up and stopped. */
export async function makeServer(name: string, options: ServerOptions): Promise<Server> {
  const { program, around, settings = [] } = options;
  const { later } = around;
  const prepared = await preparePrivateServer(program, { durable: false, later }, options);
  const port = await freePort();
  let running: ReturnType<PreparedServer['launch']> | undefined;
  let url = '';
  const launch = async (more: readonly string[]): Promise<void> => {
    running = prepared.launch(port, [...more]);
    ({ url } = running);
    await running.ready();
  };
  const server: Server = {
    name,
    port,
    prepared,
    url: () => url,
    login: () => ({ host: '127.0.0.1', port, user: 'root', password: options.password }),
    start: (more = []) => launch([...settings, ...more]),
    async stop(signal = 'SIGTERM') {
      if (running?.pid === undefined) return;
      if (!running.isGone()) process.kill(running.pid, signal);
      while (!running.isGone()) await wait(20);
    },
    async ask(...statements) {
      const connection = await createConnection({ uri: url, connectTimeout: 5_000 });
      try {
        let rows: unknown = [];
        for (const statement of statements) [rows] = await connection.query(statement);
        return Array.isArray(rows) ? (rows as RowDataPacket[]) : [];
      } finally {
        connection.destroy();
      }
    },
  };
  await launch([prepared.setUp]);
  await server.stop();
  return server;
}

/** What a status variable of the server says. */
export async function statusOf(server: Server, name: string): Promise<string> {
  const [row] = await server.ask(`SHOW GLOBAL STATUS LIKE '${name}'`);
  return String(row?.['Value'] ?? '');
}
