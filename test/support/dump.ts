/** Dumps and restores as an operator makes them, with the programs of the server. */
import { spawn } from 'node:child_process';
import { dumpPrograms } from '../../scripts/dump-programs.js';
import type { TestDatabase } from './database.ts';

/** Which database, and whom to log in as. */
export type DumpedDatabase = Pick<TestDatabase, 'serverKind' | 'host' | 'port' | 'user' | 'password' | 'name'>;

/** What docs/operating.md says; triggers come with `--triggers`. */
const DUMP_FLAGS: readonly string[] = ['--single-transaction', '--skip-triggers', '--hex-blob'];

/** The bytes of a dump of a database, or of some of its tables. Throws where the programs cannot be had. */
export async function dumpOf(
  database: DumpedDatabase,
  flags: readonly string[] = DUMP_FLAGS,
  tables: readonly string[] = [],
): Promise<Buffer> {
  const { dump } = await programsFor(database);
  // What other programs than Debian's write at the end, and need more rights for.
  const more = database.serverKind === 'mysql' ? ['--no-tablespaces', '--set-gtid-purged=OFF'] : [];
  return await run(dump, database, [...flags, ...more, database.name, ...tables]);
}

/** Feeds a dump, or any SQL, to the client. Throws with what it said where a statement fails. */
export async function restoreInto(database: DumpedDatabase, dump: Buffer | string): Promise<void> {
  const { client } = await programsFor(database);
  await run(client, database, [database.name], dump);
}

async function programsFor({ serverKind }: DumpedDatabase) {
  const programs = await dumpPrograms(serverKind);
  if ('reason' in programs) throw new Error(programs.reason);
  return programs;
}

async function run(
  [program, ...first]: readonly [string, ...string[]],
  { host, port, user, password }: DumpedDatabase,
  args: readonly string[],
  input: Buffer | string = '',
): Promise<Buffer> {
  const login = ['--no-defaults', `--host=${host}`, `--port=${port}`, `--user=${user}`, '--protocol=TCP'];
  const child = spawn(program, [...first, ...login, ...args], { env: { ...process.env, MYSQL_PWD: password } });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => err.push(part));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${Buffer.concat(err).toString()}`);
  return Buffer.concat(out);
}
