/** P1, P10 and the memory of P6: a feed of a whole site to an empty one. */
import { brotliDecompressSync } from 'node:zlib';
import { request } from 'undici';
import { createDatabase } from '../test/support/database.ts';
import { eventually } from '../test/support/eventually.ts';
import { keyOf, makeWorld, type WorldSite } from '../test/support/world.ts';
import { dumpInto } from './copy-tables.ts';
import { startDaemonProcess, type DaemonProcess } from './daemon-process.ts';
import type { Figure } from './figures.ts';
import { sizeOf, type BenchOptions, type Goal } from './goal.ts';
import { serverCpu } from './server-cpu.ts';

const TABLES = ['oc_t_user', 'oc_t_user_description'];

/** P1: how many times longer a feed takes than a dump of the same rows piped into another database. */
export const feed: Goal = {
  name: 'p1',
  title: 'a feed to an empty site, against mysqldump | mysql of the same rows',
  async run(options) {
    const users = sizeOf(options, 100_000, 1_000);
    const [ratios, feeds, dumps, peaks, wire]: number[][] = [[], [], [], [], []];
    const [taking, serving, server, dumping]: number[][] = [[], [], [], []];
    await withLargeSite(users, options, async (homes, daemon) => {
      const serverCpuMs = await serverCpu(homes.db);
      const perUser = (cpuMs: number): number => (1000 * cpuMs) / users;
      for (let round = 1; round <= options.rounds; round++) {
        const before = serverCpuMs();
        const dumpMs = await dumpOnce(homes);
        dumping?.push(perUser(serverCpuMs() - before));
        const { ms, peakMiB, cpuMs } = await feedOnce(homes, daemon, serverCpuMs, users);
        taking?.push(perUser(cpuMs.taking));
        serving?.push(perUser(cpuMs.serving));
        server?.push(perUser(cpuMs.server));
        options.say(`p1: round ${round}: feed ${Math.round(ms)} ms, dump ${Math.round(dumpMs)} ms`);
        feeds?.push(users / (ms / 1000));
        dumps?.push(users / (dumpMs / 1000));
        ratios?.push(ms / dumpMs);
        peaks?.push(peakMiB);
      }
      wire?.push(await wireBytes(homes, users));
      peaks?.push(daemon.memoryMiB().peak);
    });
    const n = users.toLocaleString('en-US');
    return [
      { what: `P1 feed of ${n} users / dump of the same rows`, unit: '×', rounds: ratios ?? [], limit: { atMost: 3 } },
      { what: 'feed', unit: 'users/s', rounds: feeds ?? [] },
      { what: 'dump', unit: 'users/s', rounds: dumps ?? [] },
      { what: 'processor time per user: daemon that is fed', unit: 'µs', rounds: taking ?? [] },
      { what: 'processor time per user: daemon that feeds', unit: 'µs', rounds: serving ?? [] },
      { what: 'processor time per user: database server', unit: 'µs', rounds: server ?? [] },
      { what: 'the same for the dump', unit: 'µs', rounds: dumping ?? [] },
      { what: 'P6 most memory of a daemon, fed or feeding', unit: 'MiB', rounds: peaks ?? [], limit: { atMost: 150 } },
      { what: 'P10 bytes on the wire per user of a feed', unit: 'bytes', rounds: wire ?? [], limit: { atMost: 150 } },
    ] satisfies Figure[];
  },
};

/** A site with users, its daemon running, that knows a peer `cars`. */
async function withLargeSite(
  users: number,
  { say }: BenchOptions,
  measure: (homes: WorldSite, daemon: DaemonProcess) => Promise<void>,
): Promise<void> {
  const world = await makeWorld(['homes', 'cars'], { idle: true });
  try {
    const homes = world.site('homes');
    say(`making ${users.toLocaleString('en-US')} users …`);
    await homes.host.seed.users({ seed: 'bench', count: users, allActive: true });
    const daemon = await startDaemonProcess(homes, [world.site('cars')]);
    try {
      await measure(homes, daemon);
    } finally {
      await daemon.stop();
    }
  } finally {
    await world.close();
  }
}

/** NaN where the programs of the server are not on this machine. */
async function dumpOnce(homes: WorldSite): Promise<number> {
  const target = await createDatabase();
  try {
    return await dumpInto(homes.db, target, TABLES);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN;
    throw error;
  } finally {
    await target.drop();
  }
}

/** What one feed took. */
interface Fed {
  /** From the order to the last page being stored. */
  readonly ms: number;
  readonly peakMiB: number;
  readonly cpuMs: { readonly taking: number; readonly serving: number; readonly server: number };
}

/** Feeds a fresh site. */
export async function feedOnce(
  homes: WorldSite,
  serving: DaemonProcess,
  serverCpuMs: () => number,
  users: number,
): Promise<Fed> {
  const world = await makeWorld(['cars'], { idle: true, peers: { cars: [] } });
  const cars = world.site('cars');
  const daemon = await startDaemonProcess(cars, [homes]);
  try {
    const used = (): number[] => [daemon.cpuMs(), serving.cpuMs(), serverCpuMs()];
    const before = used();
    const started = performance.now();
    await daemon.admin('POST', 'v1/peers/homes/feed');
    await eventually(
      async () => {
        const { running, error } = await daemon.admin('GET', 'v1/peers/homes/feed');
        if (running === true) throw new Error('the feed is not done');
        if (error !== null) throw new Error(JSON.stringify(error));
      },
      { timeoutMs: 3_600_000, intervalMs: 100 },
    );
    const ms = performance.now() - started;
    const [ours = 0, theirs = 0, server = 0] = used().map((cpuMs, at) => cpuMs - (before[at] ?? 0));
    const [row] = await cars.db.query<{ n: string }>('SELECT COUNT(*) AS n FROM oc_t_user');
    if (Number(row?.n) !== users) throw new Error(`only ${row?.n} of ${users} users arrived`);
    return { ms, peakMiB: daemon.memoryMiB().peak, cpuMs: { taking: ours, serving: theirs, server } };
  } finally {
    await daemon.stop();
    await world.close();
  }
}

/** Bytes of the bodies of all pages, as they travel, per user. */
async function wireBytes(homes: WorldSite, users: number): Promise<number> {
  let bytes = 0;
  for (let after = 0, done = false; !done;) {
    const headers = { authorization: `Bearer ${keyOf('cars')}`, 'accept-encoding': 'br, gzip' };
    const page = await request(new URL(`v1/feed?after=${after}&limit=1000`, homes.url), { headers });
    const body = Buffer.from(await page.body.arrayBuffer());
    bytes += body.length;
    // A last page of a few users is too small to be compressed.
    const text = page.headers['content-encoding'] === 'br' ? brotliDecompressSync(body) : body;
    ({ next: after, done } = JSON.parse(text.toString('utf8')) as { next: number; done: boolean });
  }
  return bytes / users;
}
