/** How it must end: everything has arrived everywhere, once, and nothing waits. */
import { eventually } from '../support/eventually.ts';
import type { World } from '../support/world.ts';
import { doubledEffects } from './effects.ts';
import type { People } from './people.ts';

/** Tables in which nothing may be left. */
const EMPTY = ['queue', 'outbox', 'parked', 'leftover'] as const;

/** What came of it. */
export interface Verdict {
  readonly written: number;
  readonly people: number;
  readonly deleted: number;
  /** Milliseconds from the last write until all sites were equal and nothing waited. */
  readonly settledMs: number;
  /** Writes that are not everywhere. */
  readonly lost: readonly string[];
  /** Values that a site got more than once. */
  readonly doubled: readonly string[];
  /** Statements of people that failed. */
  readonly hostErrors: readonly string[];
  /** What else is wrong. */
  readonly flaws: readonly string[];
}

/** Rows of the tables that count changes under way, by site and table. */
export async function rowsWaiting(world: World): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { name, db } of world.sites) {
    for (const table of EMPTY) {
      const [row] = await db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_account_sync_${table}`);
      counts.set(`${name} ${table}`, Number(row?.n ?? 0));
    }
  }
  return counts;
}

/** Waits, with nobody's help, until nothing waits and all sites are equal; then looks at everything. */
export async function judge(world: World, people: People, patienceMs: number): Promise<Verdict> {
  await people.stop();
  const startedMs = performance.now();
  const flaws: string[] = [];
  const quiet = async (): Promise<void> => {
    const waiting = [...(await rowsWaiting(world))].filter(([, n]) => n > 0);
    if (waiting.length > 0) throw new Error(`still waiting: ${waiting.map((entry) => entry.join(' ')).join(', ')}`);
    const [difference] = await world.differences();
    if (difference !== undefined) throw new Error(`sites differ: ${JSON.stringify(difference)}`);
  };
  await eventually(quiet, { timeoutMs: patienceMs, intervalMs: 250 }).catch((error: unknown) => {
    flaws.push(error instanceof Error ? error.message : String(error));
  });
  const settledMs = performance.now() - startedMs;
  const doubled = (await Promise.all(world.sites.map(doubledEffects))).flat();
  const { people: total, deleted } = people.counts();
  return {
    written: people.written(),
    people: total,
    deleted,
    settledMs,
    lost: await people.lost(),
    doubled,
    hostErrors: people.errors,
    flaws,
  };
}

/** The verdict as lines for a person. */
export function linesOf({ written, people, deleted, settledMs, lost, doubled, hostErrors, flaws }: Verdict): string[] {
  return [
    `writes        ${written}, of ${people} people; ${deleted} deleted their account`,
    `settled after ${(settledMs / 1000).toFixed(1)} s, with nobody's help`,
    `lost          ${lost.length}`,
    ...lost.slice(0, 20).map((line) => `    ${line}`),
    `doubled       ${doubled.length}`,
    ...doubled.slice(0, 20).map((line) => `    ${line}`),
    `host errors   ${hostErrors.length}`,
    ...hostErrors.slice(0, 20).map((line) => `    ${line}`),
    ...flaws.map((line) => `flaw          ${line}`),
  ];
}

/** True if all is as it must be. */
export function isGood({ lost, doubled, hostErrors, flaws }: Verdict): boolean {
  return lost.length + doubled.length + hostErrors.length + flaws.length === 0;
}
