/** One change on one site, and how long it takes to be seen on the others. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Host } from '../test/support/osclass/host.ts';
import { changesBetween, lookAt, shows, timeUntil, type Look } from './look.ts';
import { SITE_NAMES, type Hosts, type SiteName } from './sites.ts';

/** Something that a person, an administrator or a program does. */
export interface Change {
  readonly on: SiteName;
  readonly what: string;
  /** E-mail of the user it is about, after the change. */
  readonly user: string;
  /** The e-mail before, if it changes. */
  readonly was?: string;
  /** Does it; what it writes last is the commit from which time counts. */
  readonly act: (hosts: Hosts) => Promise<unknown>;
  /** What must be true elsewhere too, once the change is there. */
  readonly also?: (elsewhere: Host) => Promise<boolean>;
  /** Nothing of it may leave the site. */
  readonly stays?: boolean;
}

/** When a change was seen on another site, in milliseconds since its commit; or why it was not. */
export type Arrival =
  | { readonly kind: 'seen'; readonly ms: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'later' }
  | { readonly kind: 'stayed' }
  | { readonly kind: 'leaked' };

/** What performing needs. */
export interface Stage {
  readonly hosts: Hosts;
  /** The same sites through other connections: who looks does not hold up who writes. */
  readonly watchers: Hosts;
  /** Resolves when nothing is under way between the sites. */
  readonly settle: () => Promise<void>;
  readonly signal: AbortSignal;
  /** As soon as the change is known to have arrived at a site, or not. */
  readonly onArrival: (at: SiteName, arrival: Arrival) => void;
}

/** What is not there after this time is missing. */
export const MISSING_AFTER_MS = 10_000;
/** What must stay is watched for so long: a daemon sends every second. */
const WATCH_STAYING_MS = 1_500;

/** The sites other than `name`. */
export const othersOf = (name: SiteName): SiteName[] => SITE_NAMES.filter((other) => other !== name);

/** Does it and watches the other sites. Throws if the change changed nothing that can be seen. */
export async function perform(change: Change, stage: Stage): Promise<void> {
  await (change.stays === true ? performStaying(change, stage) : performTravelling(change, stage));
}

async function performTravelling(change: Change, stage: Stage): Promise<void> {
  const { hosts, watchers, signal, onArrival } = stage;
  const before = await lookAt(watchers[change.on], change.was ?? change.user);
  await change.act(hosts);
  const sinceMs = performance.now();
  const after = await lookAt(watchers[change.on], change.user);
  const wanted = after === undefined ? undefined : changesBetween(before, after);
  if (wanted === undefined ? before === undefined : wanted.size === 0) {
    throw new Error(`the demo is wrong: "${change.what}" changed nothing`);
  }
  await Promise.all(
    othersOf(change.on).map(async (at) => {
      const isThere = async (): Promise<boolean> => {
        const look = await lookAt(watchers[at], change.user);
        if (wanted === undefined ? look !== undefined : !shows(look, wanted)) return false;
        if (change.was !== undefined && (await lookAt(watchers[at], change.was)) !== undefined) return false;
        return (await change.also?.(watchers[at])) ?? true;
      };
      const ms = await timeUntil(isThere, { sinceMs, timeoutMs: MISSING_AFTER_MS, signal });
      onArrival(at, ms === undefined ? { kind: 'missing' } : { kind: 'seen', ms });
    }),
  );
}

/** The others must look as before, and the site's own log must say that it sent nothing. */
async function performStaying(change: Change, { hosts, watchers, settle, signal, onArrival }: Stage): Promise<void> {
  await settle();
  const others = othersOf(change.on);
  const before = new Map(
    await Promise.all(others.map(async (at) => [at, await lookAt(watchers[at], change.user)] as const)),
  );
  const sent = await sendingsOf(watchers[change.on]);
  await change.act(hosts);
  await wait(WATCH_STAYING_MS, undefined, { signal });
  const silent = (await sendingsOf(watchers[change.on])) === sent;
  for (const at of others) {
    const after = await lookAt(watchers[at], change.user);
    onArrival(at, { kind: silent && isSame(before.get(at), after) ? 'stayed' : 'leaked' });
  }
}

function isSame(before: Look | undefined, after: Look | undefined): boolean {
  if (before === undefined || after === undefined) return before === after;
  return changesBetween(before, after).size === 0;
}

async function sendingsOf(host: Host): Promise<number> {
  const [row] = await host.select(
    `SELECT COUNT(*) AS n FROM ${host.site.prefix}account_sync_log WHERE type = 'STREAM'`,
  );
  return Number(row?.n ?? 0);
}
