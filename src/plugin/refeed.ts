/**
 * Rolling re-feed of a peer that runs the PHP plugin, which forgets what it could not send: a page now and then, so that
 * everybody there is asked for again within a stated time. It has a cursor of its own beside that of a person's feed.
 */
import type { Kysely } from 'kysely';
import type { ApplyOptions } from '../apply/apply.ts';
import type { RecordSource } from '../model/outcome.ts';
import type { PeerRoute } from '../model/route.ts';
import type { PeerClient } from '../peer/client.ts';
import type { ActivityLog } from '../store/activity-log.ts';
import type { Lease, Leases } from '../store/lease.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import { readState, writeState } from '../store/state.ts';
import { inTransaction } from '../db/transaction.ts';
import { withLease } from '../store/with-lease.ts';
import type { Config, PeerConfig } from '../config/config.ts';
import { noteFed } from '../store/feed-cursor.ts';
import { SyncError } from '../model/errors.ts';
import { pluginOwner } from '../model/feed-owner.ts';
import type { FeedPage, WireRecord } from '../model/record.ts';
import { afterCall, dueAtMs, parseRound, type Round } from './refeed-schedule.ts';
import type { Clock } from '../runtime/clock.ts';
import type { PassOutcome } from '../runtime/loop.ts';
import { newTrace } from '../runtime/trace.ts';

/** What it needs of its site. */
export interface RefeedSite {
  readonly config: Pick<Config, 'feed'>;
  readonly db: Kysely<unknown>;
  readonly leases: Leases;
  readonly activity: Pick<ActivityLog, 'append'>;
  readonly status: Pick<PeerStatus, 'recordCall' | 'recordSynced'>;
  readonly scans: { feedsMustWait(): Promise<boolean> };
  route(peer: string): PeerRoute;
  client(peer: string): Pick<PeerClient, 'feed' | 'keyDigest'>;
  accept(records: readonly WireRecord[], from: RecordSource, options: ApplyOptions): Promise<unknown>;
  requireParkedRoom(peer: string): Promise<void>;
}

/** One page, if one is due. Throws PEER_… errors; then the same page is asked for next time. */
export async function refeedOnce(
  site: RefeedSite,
  peer: PeerConfig,
  clock: Clock,
  signal: AbortSignal,
): Promise<PassOutcome> {
  const { db } = site;
  const withinMs = peer.feedWithinMs;
  const name = `refeed:${peer.name}` as const;
  const nothing = { done: 0, full: false };
  if (withinMs === null || !peer.receive) return nothing;
  const owner = pluginOwner(peer.url);
  const readRound = async (): Promise<Round> => parseRound(await readState(db, name), clock.nowMs(), owner);
  const isDue = (round: Round): boolean => dueAtMs(round, withinMs) <= clock.nowMs();
  if (!isDue(await readRound()) || (await site.scans.feedsMustWait())) return nothing;
  await site.requireParkedRoom(peer.name);
  const pass = async (lease: Lease): Promise<PassOutcome> => {
    // Another process may have made the call meanwhile.
    const round = await readRound();
    if (!isDue(round)) return nothing;
    const trace = newTrace();
    const page = await ask(site, peer.name, round.cursor, { trace, signal });
    const isLast = page.done || page.next <= round.cursor;
    const route = site.route(peer.name);
    const keyDigest = site.client(peer.name).keyDigest();
    const from = { route, via: 'feed', trace, ip: null, keyDigest, overwrite: false } as const;
    // What the peer said long ago is not what it says now.
    await site.accept(page.users, from, { signal, within: (trx) => lease.fence(trx) });
    const times = { nowMs: clock.nowMs(), owner };
    const next = JSON.stringify(afterCall(round, isLast ? undefined : page.next, withinMs, times));
    const { retrieved, message: response } = page;
    const content = { operation: 'feed', rolling: true, retrieved, after: round.cursor, next: page.next };
    const entry = { type: 'FEED', peer: peer.name, key: keyDigest, ip: null, status: '200' } as const;
    await inTransaction(db, async (trx) => {
      await writeState(trx, name, next);
      await site.activity.append(trx, [{ ...entry, response, content, trace }]);
      const records = page.users.length;
      await site.status.recordSynced(trx, peer.name, 'from', { records, isNews: records > 0 });
      if (isLast && round.of === owner) await noteFed(trx, peer.name, owner);
      await lease.fence(trx);
    });
    return { done: retrieved, full: false };
  };
  return (await withLease(site.leases, name, pass)) ?? nothing;
}

async function ask(
  site: RefeedSite,
  peer: string,
  after: number,
  options: { trace: string; signal: AbortSignal },
): Promise<FeedPage> {
  try {
    const page = await site.client(peer).feed({ after, limit: site.config.feed.limit, times: 'local' }, options);
    await site.status.recordCall(peer, { ok: true, status: '200', message: 'OK' });
    return page;
  } catch (error) {
    if (error instanceof SyncError) {
      const status = String(error.httpStatus ?? 'ERR');
      await site.status.recordCall(peer, { ok: false, status, message: error.message }).catch(() => undefined);
    }
    throw error;
  }
}
