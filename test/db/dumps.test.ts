/** Dumps of a site with our triggers, made and restored by the server's own programs: backups, and moving to another server. */
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { dumpPrograms } from '../../scripts/dump-programs.js';
import { installOnce } from '../../src/capture/install.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { backupAdvice } from '../../src/admin/check/backup-advice.ts';
import { openSite, type Site } from '../../src/site/site.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { makeCli } from '../support/cli.ts';
import { createAccount, createDatabase, type TestAccount, type TestDatabase } from '../support/database.ts';
import { startOwnServer, type OwnServer } from '../support/own-server.ts';

type Programs = Extract<Awaited<ReturnType<typeof dumpPrograms>>, { dump: unknown }>;

let programs: Programs | undefined;
let why = '';
let folder: string;
/** Where a site moves to. */
let elsewhere: OwnServer | undefined;

beforeAll(async () => {
  const database = await createDatabase();
  const found = await dumpPrograms(database.serverKind);
  await database.drop();
  if ('reason' in found) why = found.reason;
  else programs = found;
  folder = mkdtempSync(join(tmpdir(), 'account-sync-dump-'));
  elsewhere = await startOwnServer();
}, 180_000);
afterAll(async () => {
  await elsewhere?.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(({ skip }) => {
  if (programs === undefined) skip(why);
});

interface Login {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** Runs a program of the server with a file as its input or output; what it says on stderr and its exit code. */
async function run(
  which: keyof Programs,
  login: Login,
  args: readonly string[],
  file: string,
): Promise<{ code: number | null; err: string }> {
  const [program, ...first] = programs?.[which] ?? ['false'];
  const place = [`--host=${login.host}`, `--port=${login.port}`, `--user=${login.user}`, '--protocol=TCP'];
  const child = spawn(program, [...first, '--no-defaults', ...place, ...args], {
    env: { ...process.env, MYSQL_PWD: login.password },
    stdio: [which === 'client' ? openSync(file, 'r') : 'ignore', 'pipe', 'pipe'],
  });
  if (which === 'dump') child.stdout?.pipe(createWriteStream(file));
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (err += text));
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { code, err };
}

/** Without GTIDs, or only an administrator may restore what MySQL dumps. */
const flags = (): string[] => [
  '--single-transaction',
  '--no-tablespaces',
  ...(programs?.dump.at(-1)?.endsWith('mysqldump') === true ? ['--set-gtid-purged=OFF'] : []),
];

async function dump(from: Login & { name: string }, ...more: string[]): Promise<string> {
  const file = join(folder, `${from.name}.sql`);
  const { code, err } = await run('dump', from, [...flags(), ...more, from.name], file);
  if (code !== 0) throw new Error(`the dump failed: ${err}`);
  return file;
}

const restore = (to: Login & { name: string }, file: string): ReturnType<typeof run> =>
  run('client', to, [to.name], file);

/** A site in use, and Osclass's own account, which may do anything in the database and nothing on the server. */
async function site(ofDaemon: 'own' | "Osclass's"): Promise<CapturedSite & { readonly osclass: TestAccount }> {
  let osclass: TestAccount | undefined;
  const cars = await capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 10, firstId: 1, allActive: true }),
    async account(database) {
      osclass = await createAccount(database, ['ALL PRIVILEGES']);
      return ofDaemon === 'own' ? await createAccount(database, [RIGHTS.join(', ')]) : osclass;
    },
  });
  await cars.scanAll();
  return { ...cars, osclass: osclass as TestAccount };
}

const usersIn = async (database: Pick<TestDatabase, 'query'>): Promise<number> =>
  Number((await database.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_t_user'))[0]?.n);

it('with an account of its own for the daemon, a dump with triggers stops half-way when Osclass restores it, as we say', async () => {
  const { osclass, database } = await site('own');
  const { code, err } = await restore(osclass, await dump(database));
  expect(code).not.toBe(0);
  expect(err).toMatch(/1227/);
  expect(backupAdvice("'account'@'%'")).toMatch(/1227.*--skip-triggers/);
});

it("with the daemon in Osclass's own account, a dump with triggers is restored by that account, and marks go on", async () => {
  const { osclass, database, host, ...cars } = await site("Osclass's");
  const file = await dump(osclass);
  await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 10', ['After the dump']);
  expect(await restore(osclass, file)).toMatchObject({ code: 0 });
  expect(await usersIn(database)).toBe(10);
  await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Marked']);
  expect(await cars.markers()).toHaveLength(1);
});

it('a dump without triggers is restored by whoever may write; the daemon makes them again and finds what changed', async () => {
  const { osclass, database, host, site: ours, ...cars } = await site('own');
  const file = await dump(osclass, '--skip-triggers');
  expect(await restore(osclass, file)).toMatchObject({ code: 0 });
  expect(await usersIn(database)).toBe(10);
  await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 3', ['Unmarked']);
  expect(await installOnce(ours.db, ours.snapshot().catalog)).toMatchObject({ triggers: 9 });
  await cars.scanAll();
  expect(await cars.outbox()).toEqual(['homes user 3']);
});

it('a dump with triggers is restored by Osclass after its definers were taken out by the command of the page', async () => {
  const { osclass, database } = await site('own');
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const script = /sed -E '([^\n]+)' dump\.sql/.exec(page)?.[1];
  expect(script).toBeDefined();
  const file = await dump(database);
  const out = join(folder, 'without.sql');
  writeFileSync(out, execFileSync('sed', ['-E', script ?? '', file]));
  expect(await restore(osclass, out)).toMatchObject({ code: 0 });
  expect(await usersIn(database)).toBe(10);
});

/** An empty database on the other server, as an administrator there makes it. */
async function newHome(): Promise<TestDatabase> {
  const { url } = elsewhere as OwnServer;
  const database = await createDatabase({ server: url });
  onTestFinished(() => database.drop());
  return database;
}

const WRITE = "UPDATE oc_t_user SET s_website = 'https://x/' WHERE pk_i_id = 1";

it('moved with its triggers, a site cannot write until their definer exists: so the page says to leave them out', async ({
  skip,
}) => {
  if (elsewhere === undefined) skip('needs a second server');
  const { database } = await site('own');
  const there = await newHome();
  expect(await restore(there, await dump(database))).toMatchObject({ code: 0 });
  await expect(there.query(WRITE)).rejects.toMatchObject({ errno: 1449 });
});

it('moved in the order of the page, a site can write at every step, and the daemon is served by what the dry run prints', async ({
  skip,
}) => {
  if (elsewhere === undefined) skip('needs a second server');
  const { site: ours, osclass } = await site('own');
  const there = await newHome();
  expect(await restore(there, await dump(osclass, '--skip-triggers'))).toMatchObject({ code: 0 });
  await there.query(WRITE);

  const { database: old } = ours.config;
  const config = { ...old, host: there.host, port: there.port, name: there.name };
  const cli = makeCli(`
site: { name: cars, url: "https://cars.example.com/", api_key: cars-key-0123456789-abcdefghij }
database: { host: ${config.host}, port: ${config.port}, user: ${config.user}, password: "${config.password}", name: ${config.name} }
peers: []
`);
  onTestFinished(() => cli.close());
  const dry = await cli.run('install', '--dry-run');
  expect(dry).toMatchObject({ code: 1, err: expect.stringMatching(/DB_ACCESS_DENIED/) });
  const host = /TO '[^']+'@'([^']+)'/.exec(dry.out)?.[1];
  await there.query(WRITE);
  const statements = dry.out.replaceAll(/^--.*$/gm, '').split(/;\n/);
  for (const statement of statements.filter((text) => text.trim() !== '')) await there.query(statement);
  onTestFinished(async () => {
    await there.query(`DROP USER '${config.user}'@'${host}'`);
  });
  await there.query(WRITE);

  const moved: Site = await openSite({ ...ours.config, database: config }, { clock: { nowMs: Date.now } });
  onTestFinished(() => moved.close());
  expect(await installOnce(moved.db, moved.snapshot().catalog)).toMatchObject({ triggers: 9 });
  await there.query(WRITE);
  expect(await moved.isScanPending()).toBe(true);
  // From elsewhere than the server says, the account would be refused.
  const login = { host: there.host, port: there.port, user: config.user, password: config.password };
  await (await createConnection(login)).end();
});
