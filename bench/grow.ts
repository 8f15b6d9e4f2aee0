/** Growth: the same work on sites of different sizes, and with different numbers of peers; drawn in docs/growth.svg. */
import { makeWorld } from '../test/support/world.ts';
import { startDaemonProcess } from './daemon-process.ts';
import { feedOnce } from './feed.ts';
import type { Figure } from './figures.ts';
import { sizeOf, type BenchOptions, type Goal } from './goal.ts';
import { allSent } from './sent.ts';
import { serverCpu } from './server-cpu.ts';
import { makeSinks } from './sinks.ts';

/** By users: install, feed to an empty site, memory. */
export const byUsers: Goal = {
  name: 'users',
  title: 'install and feed by number of users',
  async run(options) {
    const most = sizeOf(options, 1_000_000, 1_000);
    const sizes = [10_000, 100_000, 1_000_000].filter((size) => size <= most);
    const figures: Figure[] = [];
    for (const size of sizes.length === 0 ? [most] : sizes) figures.push(...(await ofSize(size, options)));
    return figures;
  },
};

async function ofSize(size: number, { say, rounds }: BenchOptions): Promise<Figure[]> {
  const [installing, feeding, taking, serving, memory]: [number[], number[], number[], number[], number[]] = [
    [],
    [],
    [],
    [],
    [],
  ];
  const world = await makeWorld(['homes', 'cars'], { idle: true });
  try {
    const homes = world.site('homes');
    say(`users: making ${size.toLocaleString('en-US')} …`);
    await homes.host.seed.users({ seed: 'bench', count: size, allActive: true });
    const started = performance.now();
    const daemon = await startDaemonProcess(homes, [world.site('cars')]);
    installing.push((performance.now() - started) / 1000);
    try {
      const server = await serverCpu(homes.db);
      // A feed of a million users takes minutes: once is enough.
      for (let round = 1; round <= (size > 100_000 ? 1 : Math.min(rounds, 3)); round++) {
        const { ms, peakMiB, cpuMs } = await feedOnce(homes, daemon, server, size);
        say(`users: ${size.toLocaleString('en-US')}: fed in ${(ms / 1000).toFixed(1)} s`);
        feeding.push(ms / 1000);
        taking.push((1000 * cpuMs.taking) / size);
        serving.push((1000 * cpuMs.serving) / size);
        memory.push(Math.max(peakMiB, daemon.memoryMiB().peak));
      }
    } finally {
      await daemon.stop();
    }
  } finally {
    await world.close();
  }
  const at = { axis: 'users', value: size } as const;
  const told = size.toLocaleString('en-US');
  return [
    { what: `install, ${told} users`, unit: 's', rounds: installing, at: { ...at, series: 'install' } },
    { what: `feed, ${told} users`, unit: 's', rounds: feeding, at: { ...at, series: 'feed' } },
    { what: 'processor time per user: daemon that is fed', unit: 'µs', rounds: taking },
    { what: 'processor time per user: daemon that feeds', unit: 'µs', rounds: serving },
    { what: 'most memory of a daemon, fed or feeding', unit: 'MiB', rounds: memory },
  ];
}

const PEERS = [1, 3, 10, 30];

/** By peers: the same changes sent to each of them. The peers confirm at once, so only the sender is measured. */
export const byPeers: Goal = {
  name: 'peers',
  title: 'the same changes sent to 1, 3, 10 and 30 peers that confirm at once',
  async run(options) {
    const changes = options.smoke ? 100 : 1000;
    const figures: Figure[] = [];
    for (const count of options.smoke ? PEERS.slice(0, 2) : PEERS) {
      figures.push(...(await toPeers(count, changes, options)));
    }
    return figures;
  },
};

async function toPeers(count: number, changes: number, { say, rounds }: BenchOptions): Promise<Figure[]> {
  const names = Array.from({ length: count }, (_, n) => `p${n + 1}`);
  const sinks = await makeSinks(names);
  const world = await makeWorld(['homes'], { idle: true });
  const [seconds, cpu]: [number[], number[]] = [[], []];
  try {
    const homes = world.site('homes');
    await homes.host.seed.users({ seed: 'bench', count: Math.max(changes, 1000), allActive: true });
    const daemon = await startDaemonProcess(
      homes,
      names.map((name) => ({ name, url: sinks.urlOf(name) })),
    );
    try {
      for (let round = 1; round <= rounds; round++) {
        const before = daemon.cpuMs();
        await homes.db.query(
          `UPDATE oc_t_user SET s_website = 'https://example.com/${round}' WHERE pk_i_id <= ${changes}`,
        );
        const started = performance.now();
        await allSent(homes);
        seconds.push((performance.now() - started) / 1000);
        cpu.push((1000 * (daemon.cpuMs() - before)) / (changes * count));
      }
      say(`peers: ${count}: measured`);
    } finally {
      await daemon.stop();
    }
  } finally {
    await world.close();
    await sinks.close();
  }
  const what = `${changes.toLocaleString('en-US')} changes to ${count} peers`;
  return [
    { what, unit: 's', rounds: seconds, at: { axis: 'peers', value: count, series: '1,000 changes' } },
    { what: 'processor time per change and peer: sending daemon', unit: 'µs', rounds: cpu },
  ];
}
