/** P8 and P9: what does not grow with the site, or with a peer that is away. */
import { makeWorld, type World, type WorldSite } from '../test/support/world.ts';
import { startDaemonProcess, type DaemonProcess } from './daemon-process.ts';
import { median } from './figures.ts';
import { sizeOf, type Goal } from './goal.ts';
import { allSent } from './sent.ts';

/** P8: 1,000 changes take as long on a large site as on a small one. */
export const growth: Goal = {
  name: 'p8',
  title: '1,000 changes on a large site, against the same on a small one',
  async run(options) {
    const [large, small] = [sizeOf(options, 1_000_000, 2_000), options.smoke ? 500 : 10_000];
    const changes = options.smoke ? 100 : 1000;
    const ratios: number[] = [];
    const sites = [await makeSender(large, ['cars']), await makeSender(small, ['cars'])] as const;
    try {
      for (let round = 1; round <= options.rounds; round++) {
        const [ofLarge, ofSmall] = [[] as number[], [] as number[]];
        for (let time = 1; time <= TIMES; time++) {
          ofLarge.push(await send(sites[0].homes, changes, TIMES * round + time, 'cars'));
          ofSmall.push(await send(sites[1].homes, changes, TIMES * round + time, 'cars'));
        }
        options.say(`p8: round ${round}: ${Math.round(median(ofLarge))} ms and ${Math.round(median(ofSmall))} ms`);
        ratios.push(median(ofLarge) / median(ofSmall));
      }
    } finally {
      for (const site of sites) await site.close();
    }
    const what = `P8 1,000 changes at ${large.toLocaleString('en-US')} users / at ${small.toLocaleString('en-US')}`;
    return [{ what, unit: '×', rounds: ratios, limit: { atMost: 1.2 } }];
  },
};

/** P9: a peer that is away leaves one entry per changed user, and slows nobody down. */
export const away: Goal = {
  name: 'p9',
  title: 'every user changed ten times while a peer is away: its entries, and the speed to another peer',
  async run(options) {
    const users = sizeOf(options, 100_000, 1_000);
    const changes = options.smoke ? 100 : 1000;
    const ratios: number[] = [];
    const site = await makeSender(users, ['cars', 'jobs']);
    let entries = 0;
    try {
      const before: number[] = [];
      for (let round = 1; round <= options.rounds; round++) before.push(await sendSome(site.homes, changes, round));
      for (let time = 1; time <= (options.smoke ? 2 : 10); time++) {
        await site.homes.db.query(`UPDATE oc_t_user SET s_zip = 'z${time}'`);
        await allSent(site.homes, 'cars');
        options.say(`p9: every user changed ${time} times`);
      }
      const [row] = await site.homes.db.query<{ n: string }>(
        `SELECT COUNT(*) AS n FROM oc_account_sync_outbox WHERE peer = 'jobs'`,
      );
      entries = Number(row?.n);
      for (let round = 1; round <= options.rounds; round++) {
        const after = await sendSome(site.homes, changes, 100 + round);
        options.say(
          `p9: round ${round}: ${Math.round(before[round - 1] ?? Number.NaN)} ms and ${Math.round(after)} ms`,
        );
        ratios.push(after / (before[round - 1] ?? Number.NaN));
      }
    } finally {
      await site.close();
    }
    return [
      {
        what: 'P9 entries per changed user for the peer that is away',
        unit: '',
        rounds: [entries / users],
        limit: { atMost: 1 },
      },
      { what: 'P9 1,000 changes to the other peer, after / before', unit: '×', rounds: ratios, limit: { atMost: 1.1 } },
    ];
  },
};

interface Sender {
  readonly homes: WorldSite;
  close(): Promise<void>;
}

/** A large site with a daemon, and a peer `cars` that takes what it is sent; other peers are not there. */
async function makeSender(users: number, peers: readonly string[]): Promise<Sender> {
  const world: World = await makeWorld(['homes', ...peers], { idle: true });
  const daemons: DaemonProcess[] = [];
  const close = async (): Promise<void> => {
    for (const daemon of daemons) await daemon.stop();
    await world.close();
  };
  try {
    const [homes, cars] = [world.site('homes'), world.site('cars')];
    await homes.host.seed.users({ seed: 'bench', count: users, allActive: true });
    await cars.host.seed.users({ seed: 'bench', count: Math.min(users, 10_000), allActive: true });
    daemons.push(await startDaemonProcess(cars, [homes]));
    daemons.push(
      await startDaemonProcess(
        homes,
        peers.map((name) => world.site(name)),
      ),
    );
    return { homes, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** How often the same is done in one round: a thousand changes take a fraction of a second, in which much can come between. */
const TIMES = 5;
/** Daemons begin at whole seconds (`stream.schedule`). */
const INTERVAL_MS = 1000;

async function sendSome(homes: WorldSite, changes: number, round: number): Promise<number> {
  const took: number[] = [];
  for (let time = 1; time <= TIMES; time++) took.push(await send(homes, changes, TIMES * round + time, 'cars'));
  return median(took);
}

/** Changes users 1 … `changes`; milliseconds from when the daemon next begins until the peer has confirmed them. */
async function send(homes: WorldSite, changes: number, round: number, peer: string): Promise<number> {
  await homes.db.query(`UPDATE oc_t_user SET s_website = 'https://example.com/${round}' WHERE pk_i_id <= ${changes}`);
  const waitMs = INTERVAL_MS - (Date.now() % INTERVAL_MS);
  const started = performance.now() + waitMs;
  await allSent(homes, peer);
  return performance.now() - started;
}
