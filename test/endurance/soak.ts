/** Three sites in use for a long time, in bad weather: equal in the end, and neither daemons nor tables grow. */
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';
import { startProcess, type DaemonProcess } from './daemon-process.ts';
import { watchEffects } from './effects.ts';
import { judge, rowsWaiting, type Verdict } from './end.ts';
import { EXTRA, NAMES } from './kills.ts';
import { letPeopleWrite } from './people.ts';
import { growthPerMinute, type Sample } from './trend.ts';
import { makeWeather } from './weather.ts';

/** The daemon that is killed, stopped and paused; the other two live all the time, and their memory is what counts. */
const MORTAL = 'jobs';
const LOG_ROWS = 3_000;
/** Mean pause of each site's people. */
const PAUSE_MS = 250;
const SAMPLE_MS = 5_000;
/** Caches, compiled code and connections come first. */
const WARM_UP_MS = 10 * 60_000;
const PATIENCE_MS = 300_000;

/** What is to be played. */
export interface SoakPlan {
  readonly minutes: number;
  readonly seed: number;
  /** Told of the progress. */
  readonly print: (line: string) => void;
}

/** Resident memory of a daemon that lived all the time, in MiB. */
export interface Memory {
  readonly site: string;
  readonly first: number;
  readonly last: number;
  readonly most: number;
  /** Samples after the warm-up. */
  readonly samples: number;
  readonly growthPerMinute: number;
}

/** What came of it. */
export interface Soaked extends Verdict {
  readonly memory: readonly Memory[];
  /** Rows of each table of ours in the end, by site and table. */
  readonly rows: ReadonlyMap<string, number>;
  readonly happened: ReadonlyMap<string, number>;
  /** Lines of the daemons that ask for a person. */
  readonly errors: readonly string[];
}

/** Plays it. */
export async function playSoak({ minutes, seed, print }: SoakPlan): Promise<Soaked> {
  const weather = await makeWeather(NAMES, String(seed));
  const extra = `${EXTRA}\nlogs: { max_rows: ${LOG_ROWS} }`;
  const world = await makeWorld(NAMES, {
    idle: true,
    extra: Object.fromEntries(NAMES.map((name) => [name, extra])),
    databasePort: weather.databasePort,
    peerUrl: weather.peerUrl,
  });
  const alive = new Map<string, DaemonProcess>();
  const errors: string[] = [];
  const start = async ({ name, config }: WorldSite): Promise<void> => {
    errors.push(...(alive.get(name)?.said.filter((line) => line.includes('"level":"error"')) ?? []));
    const daemon = startProcess(config);
    alive.set(name, daemon);
    await daemon.ready;
  };
  const mortal = world.site(MORTAL);
  try {
    for (const site of world.sites) await watchEffects(site);
    await Promise.all(world.sites.map(start));
    const people = letPeopleWrite(world, String(seed), PAUSE_MS);
    weather.turn({ now: () => alive.get(MORTAL) as DaemonProcess, restart: () => start(mortal) });
    const sizes = new Map<string, Sample[]>(NAMES.map((name) => [name, []]));
    const startedMs = performance.now();
    for (let tick = 1; performance.now() - startedMs < minutes * 60_000; tick++) {
      await wait(SAMPLE_MS);
      const atMs = performance.now() - startedMs;
      for (const [name, samples] of sizes) {
        const value = alive.get(name)?.residentMiB();
        if (value !== undefined) samples.push({ atMs, value });
      }
      if (tick % 12 === 0) print(await progressOf(world, atMs, sizes, people.written()));
    }
    await weather.clear();
    print('the weather is fair again, and people rest');
    const verdict = await judge(world, people, PATIENCE_MS);
    // The log is cut when a daemon starts, and once an hour.
    for (const site of world.sites) {
      await alive.get(site.name)?.end('SIGTERM');
      await start(site);
    }
    await eventually(() => expectShortLogs(world), { timeoutMs: 60_000, intervalMs: 250 });
    errors.push(...[...alive.values()].flatMap(({ said }) => said.filter((line) => line.includes('"level":"error"'))));
    const memory = [...sizes].filter(([name]) => name !== MORTAL).map(([name, all]) => memoryOf(name, all, minutes));
    return { ...verdict, memory, rows: await rowsOfOurs(world), happened: weather.happened, errors };
  } finally {
    await weather.clear();
    await Promise.all([...alive.values()].map((daemon) => daemon.end('SIGKILL')));
    await world.close();
    await weather.close();
  }
}

function memoryOf(site: string, all: readonly Sample[], minutes: number): Memory {
  const warmUpMs = Math.min(WARM_UP_MS, (minutes * 60_000) / 3);
  const samples = all.filter(({ atMs }) => atMs >= warmUpMs);
  const values = samples.map(({ value }) => value);
  return {
    site,
    first: values[0] ?? 0,
    last: values.at(-1) ?? 0,
    most: Math.max(...values),
    samples: samples.length,
    growthPerMinute: growthPerMinute(samples),
  };
}

async function progressOf(
  world: World,
  atMs: number,
  sizes: ReadonlyMap<string, readonly Sample[]>,
  written: number,
): Promise<string> {
  const memory = [...sizes].map(([name, samples]) => `${name} ${(samples.at(-1)?.value ?? 0).toFixed(0)} MiB`);
  const waiting = [...(await rowsWaiting(world))].filter(([, n]) => n > 0).map((entry) => entry.join(' '));
  return `${Math.round(atMs / 60_000)} min: ${written} writes; ${memory.join(', ')}; waiting: ${waiting.join(', ') || 'nothing'}`;
}

async function expectShortLogs(world: World): Promise<void> {
  for (const { name, db } of world.sites) {
    const [row] = await db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_account_sync_log');
    if (Number(row?.n) > LOG_ROWS) throw new Error(`the log of ${name} holds ${row?.n} records`);
  }
}

async function rowsOfOurs(world: World): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  for (const { name, db } of world.sites) {
    const tables = await db.query<{ t: string }>(
      `SELECT TABLE_NAME AS t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME LIKE '%account\\_sync\\_%'`,
      [db.name],
    );
    for (const { t } of tables) {
      const [row] = await db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM \`${t}\``);
      rows.set(`${name} ${t.replace('oc_account_sync_', '')}`, Number(row?.n));
    }
  }
  return rows;
}
