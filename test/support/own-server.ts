/**
 * A database server that one test file has for itself, of the kind that all tests have: for what concerns a whole server, such as
 * its global settings. Not to be had where the tests' server is neither MariaDB of this machine nor MySQL that the
 * project's scripts unpack.
 */
import { rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { mariadbProgram } from '../../scripts/database/local.js';
import { mysql9Program } from '../../scripts/database/mysql9.js';
import { startPrivateServer, type ServerProgram } from '../../scripts/database/private-server.js';
import type { Leftover } from '../../scripts/guard.js';

/** One that runs. */
export interface OwnServer {
  readonly kind: 'mariadb' | 'mysql';
  /** `mysql://root:…@127.0.0.1:port/` */
  readonly url: string;
  /** One statement after the other, as root on a connection of their own. */
  ask(...statements: string[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one. Undefined where there is no program for it; then the test says so and is skipped. */
export async function startOwnServer(): Promise<OwnServer | undefined> {
  const program = await programLike(process.env['TEST_DATABASE_URL'] ?? '');
  if (program === undefined) return undefined;
  const leftovers: Leftover[] = [];
  const { url } = await startPrivateServer(program, {
    durable: false,
    say: (line) => process.stderr.write(`${line}\n`),
    later: (leftover) => void leftovers.push(leftover),
  });
  return {
    kind: program.kind,
    url,
    async ask(...statements) {
      const connection = await createConnection(url);
      try {
        for (const statement of statements) await connection.query(statement);
      } finally {
        await connection.end();
      }
    },
    async stop() {
      for (const leftover of leftovers) if (leftover.kind === 'processes') await end(leftover.pid);
      for (const leftover of leftovers) {
        if (leftover.kind === 'folder') rmSync(leftover.path, { recursive: true, force: true });
      }
    },
  };
}

async function programLike(url: string): Promise<ServerProgram | undefined> {
  const connection = await createConnection(url);
  const [rows] = await connection.query('SELECT VERSION() AS version');
  await connection.end();
  const isMariadb = /mariadb/i.test(JSON.stringify(rows));
  return isMariadb ? await mariadbProgram() : await mysql9Program(() => undefined).catch(() => undefined);
}

/** As soon as it may; the data is thrown away anyhow. */
async function end(pid: number): Promise<void> {
  try {
    process.kill(pid, 'SIGKILL');
    for (;;) {
      process.kill(pid, 0);
      await wait(20);
    }
  } catch {
    // It is gone.
  }
}
