/** The yardstick for moving users: the server's own dump program piped into its own client. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestDatabase } from '../test/support/database.ts';

/** Copies tables with `mysqldump FROM TABLE… | mysql TO` and returns how long that took. Throws if either fails. */
export async function dumpInto(from: TestDatabase, to: TestDatabase, tables: readonly string[]): Promise<number> {
  const maria = from.serverKind === 'mariadb';
  const env = { ...process.env, MYSQL_PWD: from.password };
  const login = (db: TestDatabase): string[] => [`--host=${db.host}`, `--port=${db.port}`, `--user=${db.user}`];
  const dump = spawn(
    maria ? 'mariadb-dump' : 'mysqldump',
    [...login(from), '--single-transaction', '--skip-triggers', '--no-tablespaces', from.name, ...tables],
    { env, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const load = spawn(maria ? 'mariadb' : 'mysql', [...login(to), '--default-character-set=utf8mb4', to.name], {
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const started = performance.now();
  // Who reads no more is told of by its exit code.
  load.stdin.on('error', () => undefined);
  dump.stdout.pipe(load.stdin);
  const codes = await Promise.all([dump, load].map(async (child) => ((await once(child, 'close')) as [number])[0]));
  if (codes.some((code) => code !== 0)) throw new Error(`the dump ended with ${codes.join(' and ')}`);
  return performance.now() - started;
}
