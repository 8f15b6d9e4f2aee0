/** Where a row is played: two sites with daemons, one of them in use, and all that its daemon says. */
import type { Connection } from 'mysql2/promise';
import { makeLogger, type Log } from '../../src/runtime/logger.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { createAccount } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { Host } from '../support/osclass/host.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';
import { letVisit, type Visitors } from './host-use.ts';
import type { Outcome, Row } from './row.ts';

/** No statement of the host may take longer: a second for a lock, and the statement. */
const SLOWEST_MS = 1200;
/** The triggers of a site in use are looked at every 30 s, and so are its columns. */
const CYCLE_MS = 33_000;
const USERS = 20;

/** What a row has to do with. */
export interface Stage {
  readonly world: World;
  /** The site it happens to. */
  readonly cars: WorldSite;
  /** An administrator's connection to its database. */
  readonly root: Connection;
  readonly visitors: Visitors;
  /** Between the daemon of cars and its database. */
  readonly proxy: TcpProxy;
  /** Account of the daemon of cars, if it has one of its own. */
  readonly account: string | undefined;
  /** The same site through another connection. */
  again(): Promise<Host>;
}

/** Plays one row. Throws only if it could not be played. */
export async function play(row: Row, seed: number): Promise<Outcome> {
  const said: string[] = [];
  const log = makeLogger({ level: 'warn', destination: { write: (line: string) => void said.push(line) } });
  const { world, proxy, account } = await setUp(row, log);
  const cars = world.site('cars');
  const root = await cars.db.connection();
  const visitors = letVisit(await cars.host.again(), USERS, `${seed}${row.name}`);
  const stage: Stage = { world, cars, root, visitors, proxy, account, again: () => cars.host.again() };
  const flaws: string[] = [];
  try {
    await visitors.some(10);
    said.length = 0;
    const startedMs = performance.now();
    await row.happen(stage);
    const [line, noticedMs] = await heard(row, cars, said, startedMs).catch(() => ['', null] as const);
    if (row.says !== undefined && noticedMs === null) flaws.push('not noticed within a cycle');
    if (noticedMs !== null && noticedMs > (row.impossibleForMs ?? CYCLE_MS)) flaws.push('noticed late');
    const errorsUntilNoticed = visitors.errors().length;
    await row.repair?.(stage);
    await visitors.some(20);
    const { statements, errors, slowestMs } = await visitors.leave();
    const untold = untoldErrors(row, errors, errorsUntilNoticed);
    if (untold.length > 0) flaws.push(`${untold.length} errors of the host: ${untold[0]}`);
    if (row.impossible === undefined && slowestMs > SLOWEST_MS) {
      flaws.push(`a statement took ${Math.round(slowestMs)} ms`);
    }
    flaws.push(...(await endsEqual(row, world)));
    return {
      name: row.name,
      statements,
      hostErrors: [...new Set(errors)],
      slowestMs,
      noticedMs,
      said: line,
      flaws,
      impossible: row.impossible,
      compared: row.mayDiffer !== true,
    };
  } finally {
    await visitors.leave().catch(() => undefined);
    await root.end();
    await world.close();
    await proxy.close();
    if (account !== undefined) await dropAccount(world, account);
  }
}

/** Of the errors of visitors, those that the row does not tell of; the first `noticedAt` came before the daemon noticed. */
function untoldErrors(row: Row, errors: readonly string[], noticedAt: number): readonly string[] {
  if (row.impossible === undefined) return errors;
  const { impossibleErrors = /^/, impossibleForMs } = row;
  return errors.filter(
    (text, at) => !impossibleErrors.test(text) || (impossibleForMs !== undefined && at >= noticedAt),
  );
}

async function setUp(row: Row, log: Log): Promise<{ world: World; proxy: TcpProxy; account: string | undefined }> {
  let port = 0;
  const proxy = await startTcpProxy(() => port);
  const guard = 'guard: { removals: 100000 }';
  const world = await makeWorld(['cars', 'homes'], {
    idle: true,
    log,
    extra: { cars: guard, homes: guard },
    databasePort: (site, real) => {
      port = real;
      return site === 'cars' ? proxy.port : real;
    },
  });
  const cars = world.site('cars');
  await cars.host.seed.users({ seed: 3, count: USERS, firstId: 1, allActive: true });
  await world.site('homes').start();
  let account: string | undefined;
  if (row.ownAccount === true) {
    const login = await createAccount(cars.db, [RIGHTS.join(', ')]);
    account = login.user;
    const { user, password } = login;
    await cars.start({ config: { ...cars.config, database: { ...cars.config.database, user, password } } });
  } else await cars.start();
  const { status } = await world.site('homes').admin('POST', '/v1/peers/cars/feed', {});
  if (status >= 300) throw new Error(`the feed was refused: ${status}`);
  await eventually(
    async () => {
      const differences = await world.differences();
      if (differences.length > 0) throw new Error('not fed yet');
    },
    { timeoutMs: 60_000 },
  );
  return { world, proxy, account };
}

async function dropAccount({ sites }: World, account: string): Promise<void> {
  const [site] = sites;
  await site?.db.query(`DROP USER IF EXISTS '${account}'@'%'`).catch(() => undefined);
}

/** What the daemon says of it, and after how long. */
async function heard(
  row: Row,
  cars: WorldSite,
  said: readonly string[],
  startedMs: number,
): Promise<readonly [string, number | null]> {
  const { says } = row;
  if (says === undefined) return ['', null];
  return await eventually(
    async () => {
      const health = await fetch(new URL('health', cars.url)).then((answer) => answer.text());
      const line = [...said, health].find((text) => says.test(text));
      if (line === undefined) throw new Error('nothing said yet');
      return [says.exec(line)?.[0] ?? '', performance.now() - startedMs] as const;
    },
    { timeoutMs: CYCLE_MS, intervalMs: 100 },
  );
}

async function endsEqual(row: Row, world: World): Promise<string[]> {
  if (row.mayDiffer === true) return [];
  try {
    await eventually(
      async () => {
        const differences = await world.differences();
        if (differences.length > 0) throw new Error(JSON.stringify(differences[0]));
      },
      { timeoutMs: 75_000, intervalMs: 250 },
    );
    return [];
  } catch (error) {
    const what = error instanceof Error ? error.message.slice(0, 200) : String(error);
    return [`the sites are not equal in the end: ${what}; ${await lying(world)}`];
  }
}

/** What is parked, which may say why. */
async function lying({ sites }: World): Promise<string> {
  const parked: string[] = [];
  for (const { name, db } of sites) {
    const rows = await db.query<{ code: string; n: string }>(
      'SELECT code, COUNT(*) AS n FROM oc_account_sync_parked GROUP BY code',
    );
    parked.push(...rows.map(({ code, n }) => `${name} ${code} ${n}`));
  }
  return `parked: ${parked.join(', ') || 'nothing'}`;
}
