/** Daemons that are killed at random moments while all sites are written to, and started again, and that is all. */
import { setTimeout as wait } from 'node:timers/promises';
import { makeRandom } from '../support/osclass/random.ts';
import { makeWorld, type WorldSite } from '../support/world.ts';
import { startProcess, type DaemonProcess } from './daemon-process.ts';
import { watchEffects } from './effects.ts';
import { judge, type Verdict } from './end.ts';
import { letPeopleWrite } from './people.ts';

/** Sites that are written to. */
export const NAMES = ['cars', 'homes', 'jobs'] as const;
/** Removals are part of what is tried, so no guard holds them. */
export const EXTRA = 'guard: { removals: 1000000, percent: 100 }';
/**
 * A daemon that was killed at work keeps its leases until they expire. With those of 30 s most kills would hit daemons
 * that wait.
 */
const LEASE_MS = 6_000;
/** Longest life after it is ready, and longest death. */
const LIFE_MS = 1_500;
const DEATH_MS = 600;
/** So often a daemon does not live to be ready. */
const STILLBORN = 0.1;
const PAUSE_MS = 120;
const PATIENCE_MS = 180_000;

/** What is to be played. */
export interface KillPlan {
  readonly kills: number;
  readonly seed: number;
  /** Told of the progress. */
  readonly print: (line: string) => void;
}

/** What came of it; `errors`: lines of the daemons that ask for a person. */
export type Killed = Verdict & { readonly kills: number; readonly errors: readonly string[] };

/** Plays it: the kills are shared out over the sites. */
export async function playKills({ kills, seed, print }: KillPlan): Promise<Killed> {
  const world = await makeWorld(NAMES, { idle: true, extra: Object.fromEntries(NAMES.map((name) => [name, EXTRA])) });
  const alive = new Map<string, DaemonProcess>();
  const errors: string[] = [];
  let done = 0;
  const start = ({ name, config }: WorldSite): DaemonProcess => {
    const daemon = startProcess(config, LEASE_MS);
    alive.set(name, daemon);
    return daemon;
  };
  const note = ({ said }: DaemonProcess): void =>
    void errors.push(...said.filter((line) => line.includes('"level":"error"')));
  try {
    for (const site of world.sites) await watchEffects(site);
    await Promise.all(world.sites.map((site) => start(site).ready));
    const people = letPeopleWrite(world, String(seed), PAUSE_MS);
    const killOften = async (site: WorldSite, times: number): Promise<void> => {
      const random = makeRandom(`${seed}/kills/${site.name}`);
      for (let time = 0; time < times; time++) {
        const daemon = alive.get(site.name) as DaemonProcess;
        if (!random.chance(STILLBORN)) await daemon.ready;
        await wait(random.next() * LIFE_MS);
        await daemon.end('SIGKILL');
        note(daemon);
        done += 1;
        if (done % 10 === 0) print(`${done} of ${kills} kills, ${people.written()} writes`);
        await wait(random.next() * DEATH_MS);
        start(site);
      }
    };
    const share = (index: number): number => Math.floor((kills + index) / NAMES.length);
    await Promise.all(world.sites.map((site, index) => killOften(site, share(index))));
    print('all killed; now they live');
    const verdict = await judge(world, people, PATIENCE_MS);
    for (const daemon of alive.values()) note(daemon);
    return { ...verdict, kills: done, errors };
  } finally {
    await Promise.all([...alive.values()].map((daemon) => daemon.end('SIGKILL')));
    await world.close();
  }
}
