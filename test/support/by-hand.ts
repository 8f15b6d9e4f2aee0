/** Passes called by hand: for worlds whose daemons are `manual`, so that a test decides what happens when. */
import { expect } from 'vitest';
import { uninstallOnce } from '../../src/capture/install.ts';
import type { Site } from '../../src/site/site.ts';
import { eventually } from './eventually.ts';
import type { Person } from './osclass/people.ts';
import type { World, WorldSite } from './world.ts';

/** The open site of a running daemon. */
export const siteOf = async (one: WorldSite): Promise<Site> => (await one.open()).site;

/** Every page of a baseline or re-scan, on every running site. */
export async function scanAll(world: World): Promise<void> {
  for (const one of runningOf(world)) {
    const site = await siteOf(one);
    while (await site.isScanPending()) await site.scanPage();
  }
}

/** Empties the table of users of a site, and what the daemon knows of it: as if it had just been installed. */
export async function beginAgain(one: WorldSite, persons: readonly Person[] = []): Promise<void> {
  await one.host.write('DELETE FROM {user_description}');
  await one.host.write('DELETE FROM {user}');
  await one.host.seed.users({ seed: one.name, persons, allActive: true, idGaps: 0.2 });
  const tables = ['queue', 'user', 'uid', 'tombstone', 'outbox', 'peer', 'log', 'parked', 'lease', 'state'];
  for (const table of tables) await one.db.query(`DELETE FROM oc_account_sync_${table}`);
}

/**
 * What `account-sync uninstall` does, and a start after it: the site remembers nothing of who was who, who was removed, or
 * what was still to be sent. `meanwhile`: what happens on the site while there is no daemon.
 */
export async function reinstall(one: WorldSite, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const site = await siteOf(one);
  await uninstallOnce(site.db, site.snapshot().catalog);
  await one.stop();
  await meanwhile();
  const { site: again } = await one.start();
  while (await again.isScanPending()) await again.scanPage();
}

/** Drain until the queue is empty. */
export async function drainAll(one: WorldSite): Promise<void> {
  const site = await siteOf(one);
  for (let full = true; full;) ({ full } = await site.drain());
}

/** Deliveries to one peer, or to all, until nothing is due. Throws what a delivery throws. */
export async function deliverAll(one: WorldSite, peer?: string): Promise<void> {
  const site = await siteOf(one);
  for (const route of site.routes().filter(({ name }) => peer === undefined || name === peer)) {
    for (let full = true; full;) ({ full } = await site.deliver(route));
  }
}

/** Lets time pass for one site: leases of killed processes run out, what waits for another try is due. */
export async function letTimePass(one: WorldSite): Promise<void> {
  await one.db.query("UPDATE oc_account_sync_lease SET expires_at = '2000-01-01'");
  await one.db.query("UPDATE oc_account_sync_outbox SET due_at = '2000-01-01' WHERE state = 'w'");
  await one.db.query("UPDATE oc_account_sync_parked SET tried_at = '1970-01-01'");
}

/**
 * What the loops of all running daemons do until nothing moves any more: drain, deliver, try parked records again. Time
 * passes in between, so nothing has to be waited for. Throws if it never ends, which would be a loop of changes.
 */
export async function settleByHand(world: World): Promise<void> {
  for (let round = 0; round < 40; round++) {
    let moved = 0;
    for (const one of runningOf(world)) {
      const site = await siteOf(one);
      await letTimePass(one);
      moved += (await site.drain()).done;
      for (const route of site.routes()) moved += (await site.deliver(route)).done;
      await site.sweep();
      moved += (await site.retryParked()).outcomes.filter((outcome) => outcome.result === 'applied').length;
    }
    if (moved === 0) return;
  }
  throw new Error('never silent');
}

function runningOf(world: World): WorldSite[] {
  return world.sites.filter((site) => site.daemon !== undefined);
}

/** Until the second of the database's clock is another: the dates that Osclass writes have no fractions. */
export async function nextSecond({ db }: Pick<WorldSite, 'db'>): Promise<void> {
  const now = async (): Promise<unknown> => (await db.query('SELECT NOW() AS now'))[0]?.['now'];
  const before = await now();
  await eventually(async () => expect(await now()).not.toEqual(before), { intervalMs: 20 });
}
