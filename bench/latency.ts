/** P3: how long a change takes from one site to the other. */
import { setTimeout as pause } from 'node:timers/promises';
import { makeWorld, type WorldSite } from '../test/support/world.ts';
import { startDaemonProcess } from './daemon-process.ts';
import { quantile } from './figures.ts';
import type { Goal } from './goal.ts';

const PER_SECOND = 20;

/** P3: seconds from the commit on one site to the value being visible on the other. */
export const latency: Goal = {
  name: 'p3',
  title: 'commit here to visible there, 20 changes a second, default schedule',
  async run({ smoke, rounds, say }) {
    const changes = smoke ? 20 : Math.ceil(1000 / rounds);
    const world = await makeWorld(['homes', 'cars'], { idle: true });
    const medians: number[] = [];
    const tails: number[] = [];
    try {
      const [homes, cars] = [world.site('homes'), world.site('cars')];
      for (const { host } of [homes, cars]) await host.seed.users({ seed: 'bench', count: 1000, allActive: true });
      const daemons = [await startDaemonProcess(homes, [cars]), await startDaemonProcess(cars, [homes])];
      try {
        for (let round = 1; round <= rounds; round++) {
          const seconds = await follow(homes, cars, changes, round);
          medians.push(quantile(seconds, 0.5));
          tails.push(quantile(seconds, 0.99));
          say(`p3: round ${round}: ${changes} changes`);
        }
      } finally {
        for (const daemon of daemons) await daemon.stop();
      }
    } finally {
      await world.close();
    }
    return [
      { what: 'P3 half of all changes are there within', unit: 's', rounds: medians, limit: { atMost: 1 } },
      { what: 'P3 99 of 100 changes are there within', unit: 's', rounds: tails, limit: { atMost: 2 } },
    ];
  },
};

/** Makes the changes at an even pace and looks for each on the other site. */
async function follow(homes: WorldSite, cars: WorldSite, changes: number, round: number): Promise<number[]> {
  const committed = new Map<string, number>();
  const seconds: number[] = [];
  const made = new AbortController();
  const look = async (): Promise<void> => {
    const deadline = performance.now() + 120_000;
    while (!made.signal.aborted || committed.size > 0) {
      if (performance.now() > deadline) throw new Error(`${committed.size} changes did not arrive`);
      const rows = await cars.db.query<{ value: string }>(
        `SELECT s_phone_land AS value FROM oc_t_user WHERE s_phone_land LIKE 'r${round}-%'`,
      );
      const now = performance.now();
      for (const { value } of rows) {
        const since = committed.get(value);
        if (since === undefined) continue;
        seconds.push((now - since) / 1000);
        committed.delete(value);
      }
      await pause(10);
    }
  };
  const looking = look();
  for (let n = 1; n <= changes; n++) {
    const value = `r${round}-${n}`;
    // Before the statement: if anything, the figure is too large.
    committed.set(value, performance.now());
    await homes.db.query('UPDATE oc_t_user SET s_phone_land = ? WHERE pk_i_id = ?', [value, n]);
    await pause(1000 / PER_SECOND);
  }
  made.abort();
  await looking;
  return seconds;
}
