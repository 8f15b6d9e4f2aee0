/** P2: many changed users, streamed to one peer. */
import { makeWorld, type World, type WorldSite } from '../test/support/world.ts';
import { startDaemonProcess, type DaemonProcess } from './daemon-process.ts';
import { sizeOf, type Goal } from './goal.ts';
import { allSent } from './sent.ts';
import { serverCpu } from './server-cpu.ts';

/** The PHP plugin, measured before: each user a request of its own. */
const PLUGIN_USERS_PER_S = 105;

/** P2: users per second from the first marker to the last confirmation. */
export const stream: Goal = {
  name: 'p2',
  title: 'changed users streamed to one peer, against single-row updates through the same driver',
  async run(options) {
    const users = sizeOf(options, 20_000, 500);
    const speeds: number[] = [];
    const loops: number[] = [];
    const [sending, receiving, server]: [number[], number[], number[]] = [[], [], []];
    const pair = await makePair(users, options.say);
    try {
      const serverCpuMs = await serverCpu(pair.homes.db);
      const used = (): number[] => [pair.sender.cpuMs(), pair.receiver.cpuMs(), serverCpuMs()];
      for (let round = 1; round <= options.rounds; round++) {
        loops.push(users / (await updateLoop(pair.scratch, users, round)));
        const before = used();
        speeds.push(users / (await streamAll(pair.homes, pair.cars, users, round)));
        const [ours = 0, theirs = 0, database = 0] = used().map((cpuMs, at) => cpuMs - (before[at] ?? 0));
        sending.push((1000 * ours) / users);
        receiving.push((1000 * theirs) / users);
        server.push((1000 * database) / users);
        options.say(`p2: round ${round}: ${Math.round(speeds.at(-1) ?? 0)} users/s`);
      }
    } finally {
      await pair.close();
    }
    const n = users.toLocaleString('en-US');
    return [
      { what: `P2 stream of ${n} changed users`, unit: 'users/s', rounds: speeds, limit: { atLeast: 5_000 } },
      {
        what: 'P2 stream / the PHP plugin',
        unit: '×',
        rounds: speeds.map((speed) => speed / PLUGIN_USERS_PER_S),
        limit: { atLeast: 50 },
      },
      { what: 'single-row updates, each committed', unit: 'users/s', rounds: loops },
      { what: 'processor time per user: daemon that sends', unit: 'µs', rounds: sending },
      { what: 'processor time per user: daemon that receives', unit: 'µs', rounds: receiving },
      { what: 'processor time per user: database server, with the edit itself', unit: 'µs', rounds: server },
      { what: 'stream / single-row updates', unit: '×', rounds: speeds.map((speed, at) => speed / (loops[at] ?? 0)) },
    ];
  },
};

interface Pair {
  readonly homes: WorldSite;
  readonly cars: WorldSite;
  readonly sender: DaemonProcess;
  readonly receiver: DaemonProcess;
  /** A third site that nobody watches. */
  readonly scratch: WorldSite;
  close(): Promise<void>;
}

/** Two sites that have the same users, and daemons beside them. */
async function makePair(users: number, say: (line: string) => void): Promise<Pair> {
  const peers = { homes: ['cars'], cars: ['homes'], scratch: [] };
  const world: World = await makeWorld(['homes', 'cars', 'scratch'], { idle: true, peers });
  const daemons: DaemonProcess[] = [];
  const close = async (): Promise<void> => {
    for (const daemon of daemons) await daemon.stop();
    await world.close();
  };
  try {
    say(`making ${users.toLocaleString('en-US')} users on each of two sites …`);
    for (const { host } of world.sites) await host.seed.users({ seed: 'bench', count: users, allActive: true });
    const [homes, cars, scratch] = [world.site('homes'), world.site('cars'), world.site('scratch')];
    const sender = await startDaemonProcess(homes, [cars]);
    daemons.push(sender);
    const receiver = await startDaemonProcess(cars, [homes]);
    daemons.push(receiver);
    return { homes, cars, sender, receiver, scratch, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Changes all users in one statement; the time until the other site has confirmed the last of them, in seconds. */
async function streamAll(homes: WorldSite, cars: WorldSite, users: number, round: number): Promise<number> {
  const value = `https://example.com/${round}/`;
  await homes.db.query(`UPDATE oc_t_user SET s_website = CONCAT('${value}', pk_i_id)`);
  const started = performance.now();
  await allSent(homes);
  const seconds = (performance.now() - started) / 1000;
  const [arrived] = await cars.db.query<{ n: string }>(
    `SELECT COUNT(*) AS n FROM oc_t_user WHERE s_website LIKE '${value}%'`,
  );
  if (Number(arrived?.n) !== users) throw new Error(`only ${arrived?.n} of ${users} changes arrived`);
  return seconds;
}

/** The same edits, one statement and one commit each, in seconds. */
async function updateLoop({ db }: WorldSite, users: number, round: number): Promise<number> {
  const connection = await db.connection();
  try {
    const started = performance.now();
    for (let id = 1; id <= users; id++) {
      await connection.query('UPDATE oc_t_user SET s_website = ? WHERE pk_i_id = ?', [
        `https://example.com/${round}`,
        id,
      ]);
    }
    return (performance.now() - started) / 1000;
  } finally {
    await connection.end();
  }
}
