/** P6 (idle) and P7: a daemon that has nothing to do. */
import { setTimeout as pause } from 'node:timers/promises';
import { makeWorld, type WorldSite } from '../test/support/world.ts';
import { startDaemonProcess } from './daemon-process.ts';
import type { Goal } from './goal.ts';

const PEERS = ['p1', 'p2', 'p3', 'p4', 'p5', 'p6', 'p7', 'p8', 'p9', 'p10'];

/** P7: share of a core and statements per second of an idle daemon with ten peers, over a minute. */
export const idle: Goal = {
  name: 'p7',
  title: 'an idle daemon with ten peers: processor, statements, memory',
  async run({ smoke, rounds, say }) {
    const seconds = smoke ? 3 : 60 / Math.min(rounds, 5);
    const world = await makeWorld(['homes', ...PEERS], { idle: true, peers: { homes: PEERS } });
    const [cores, statements, memory]: [number[], number[], number[]] = [[], [], []];
    try {
      const homes = world.site('homes');
      await homes.host.seed.users({ seed: 'bench', count: 1000, allActive: true });
      const daemon = await startDaemonProcess(
        homes,
        PEERS.map((name) => world.site(name)),
      );
      try {
        // The first minute has work: triggers are looked at, modules loaded.
        await pause(smoke ? 1000 : 10_000);
        for (let round = 1; round <= rounds; round++) {
          const [cpu, asked, at] = [daemon.cpuMs(), await questions(homes), performance.now()];
          await pause(seconds * 1000);
          const passed = performance.now() - at;
          cores.push((100 * (daemon.cpuMs() - cpu)) / passed);
          // Two of them are this benchmark's own.
          statements.push((1000 * ((await questions(homes)) - asked - 2)) / passed);
          memory.push(daemon.memoryMiB().now);
        }
        say('p7: measured');
      } finally {
        await daemon.stop();
      }
    } finally {
      await world.close();
    }
    return [
      { what: 'P7 share of a core of an idle daemon with 10 peers', unit: '%', rounds: cores, limit: { atMost: 1 } },
      { what: 'P7 its statements', unit: '/s', rounds: statements, limit: { atMost: 10 } },
      { what: 'P6 its memory', unit: 'MiB', rounds: memory, limit: { atMost: 100 } },
    ];
  },
};

/** Statements the server has answered so far; nobody else uses it. */
async function questions({ db }: WorldSite): Promise<number> {
  const [row] = await db.query<{ Value: string }>(`SHOW GLOBAL STATUS LIKE 'Questions'`);
  return Number(row?.Value);
}
