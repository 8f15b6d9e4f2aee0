/**
 * Deliver: one pass over the due entries of one peer. Values are read now, not when the change was made, so an entry
 * always sends the present state. An entry leaves only after the peer confirmed it (invariant 3).
 */
import type { PeerRoute } from '../model/route.ts';
import { eachOf, slices } from '../runtime/each-of.ts';
import { CHANGE } from '../model/guard.ts';
import { deliverBatch, hasFailedAlone, type BatchDeps, type Sums } from './batch.ts';
import { holdBack, type HoldBackDeps } from './hold-back.ts';
import { dueEntries, type DueEntry } from '../store/outbox.ts';

/** What a delivery needs. */
export interface DeliverDeps extends BatchDeps, HoldBackDeps {
  /** Most users in one request. */
  readonly batchSize: () => number;
  /** Most requests under way at once: while the peer stores one batch, the next is made and the one before written down. */
  readonly requestsAtOnce: () => number;
}

/** What one pass did. */
export interface Delivered extends Sums {
  /** True if more may be due. */
  readonly full: boolean;
}

/** A pass ends after so many batches at the latest, so that changes of the config are not long in coming. */
const BATCHES_PER_PASS = 8;

/**
 * Sends the entries that are due, in batches; one batch if the peer takes one request at a time. Throws what `send` threw
 * first when the peer as a whole cannot take records now; the entries of that batch stay as they are, and no further batch
 * is begun. `signal` ends the requests under way.
 */
export async function deliverOnce(deps: DeliverDeps, route: PeerRoute, signal?: AbortSignal): Promise<Delivered> {
  const { db, nowMs } = deps;
  const [batch, atOnce] = [deps.batchSize(), deps.requestsAtOnce()];
  const limit = atOnce > 1 ? BATCHES_PER_PASS * batch : batch;
  const due = await dueEntries(db, route.name, nowMs(), limit);
  if (due.length === 0) return { done: 0, full: false, kept: 0 };
  const entries = await holdBack(deps, route, due, signal);
  const sums = { done: due.length - entries.length, kept: 0 };
  const deliver = async (some: readonly DueEntry[]): Promise<void> => {
    const { done, kept } = await deliverBatch(deps, route, some, signal);
    [sums.done, sums.kept] = [sums.done + done, sums.kept + kept];
  };
  // Removals make room for who registers after them, and are counted by the guard of the peer: those go one by one.
  const first = entries.filter(isRemoving);
  const rest = entries.filter((entry) => !isRemoving(entry));
  // Whoever made a request fail before goes last, in one of its own.
  const suspects = rest.filter(hasFailedAlone);
  const batches = slices([...first, ...rest.filter((entry) => !hasFailedAlone(entry))], batch);
  const removing = Math.ceil(first.length / batch);
  await eachOf(batches.slice(0, removing), 1, deliver);
  await eachOf(batches.slice(removing), atOnce, deliver);
  await eachOf(slices(suspects, 1), 1, deliver);
  return { ...sums, full: due.length === limit };
}

function isRemoving({ kind, changes }: DueEntry): boolean {
  return kind === 'removal' || (changes & CHANGE.removal) !== 0;
}
