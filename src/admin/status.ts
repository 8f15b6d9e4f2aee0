/** How a site is, in one document: its queue, its peers, and what waits for a person. */
import { fromSqlTime } from '../db/time.ts';
import type { PeerSummary } from '../model/response-schemas.ts';
import type { Site } from '../site/site.ts';
import { isAnyLeaseHeld } from '../store/lease.ts';
import { queueDepth } from '../store/queue.ts';
import { VERSION } from '../version.ts';
import { peerFacts } from './peer-facts.ts';
import { readRefusedEdit, type RefusedEdit } from './refused-edit.ts';

/** What the command tells; field names as `GET /v1/peers`. Ages and lag in seconds. */
export interface StatusDocument {
  readonly site: string;
  readonly version: string;
  /** `seen`: at work, or killed within the last 30 s. */
  readonly daemon: 'seen' | 'not seen';
  readonly baseline: 'done' | 'running';
  readonly queue: { readonly depth: number; readonly oldest_age: number | null };
  /** Why nothing is sent or applied: server, database or address are others than last time; null: they are not. */
  readonly stopped: string | null;
  readonly parked: number;
  /** What waits until somebody proves an address; it needs nobody. */
  readonly unproven: number;
  readonly held: number;
  /** An edit of the config file that the daemon did not take over; null: there is none. */
  readonly refused_edit: RefusedEdit | null;
  /** `lag`: for how long the oldest change that the peer has not confirmed has been waiting, here or in the outbox. */
  readonly peers: readonly (PeerSummary & { readonly lag: number })[];
}

/** Reads the database; works with and without a daemon. */
export async function readStatus(site: Site): Promise<StatusDocument> {
  const { depth, oldest } = await queueDepth(site.db);
  const queueAge = oldest === null ? null : Math.max(0, (Date.now() - fromSqlTime(oldest)) / 1000);
  const summaries = await site.status.summaries(peerFacts(site));
  const lagOf = (peer: PeerSummary): number =>
    Math.max(peer.oldest_pending_age ?? 0, site.route(peer.name).send ? (queueAge ?? 0) : 0);
  return {
    site: site.config.site.name,
    version: VERSION,
    daemon: (await isAnyLeaseHeld(site.db)) ? 'seen' : 'not seen',
    baseline: (await site.scans.feedsMustWait()) ? 'running' : 'done',
    queue: { depth, oldest_age: queueAge },
    refused_edit: (await readRefusedEdit(site.db)) ?? null,
    stopped: (await site.identityCheck.look())?.message ?? null,
    parked: summaries.reduce((sum, peer) => sum + peer.parked, 0),
    unproven: summaries.reduce((sum, peer) => sum + peer.unproven, 0),
    held: summaries.reduce((sum, peer) => sum + peer.held, 0),
    peers: summaries.map((peer) => ({ ...peer, lag: lagOf(peer) })),
  };
}
