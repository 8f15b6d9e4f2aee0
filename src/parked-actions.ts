/** What a person does about parked entries: those that came in, and those of our outboxes. */
import { dropParked, heldOf, readParked } from './apply/parked.ts';
import { parseParkedId } from './ops/entry-cursor.ts';
import { dropEntry, releaseHeld, retryEntry, type EntryName } from './outbox/store.ts';
import type { RetryOutcome } from './server/answers.ts';
import type { Site } from './site.ts';

/** Tries one again, now; undefined if nothing is parked under the id. An entry of an outbox goes out with the next delivery. */
export async function retryParked(site: Site, parkedId: string, nowMs: number): Promise<RetryOutcome | undefined> {
  const key = parseParkedId(parkedId);
  if (key === undefined) return undefined;
  if (key.direction === 'out') {
    return (await retryEntry(site.db, site.own, toName(key), nowMs)) ? { result: 'waiting' } : undefined;
  }
  const [row] = await readParked(site.db, site.own, { ids: [key.id] });
  if (row === undefined) return undefined;
  const { outcomes } = await site.retryParked({ ids: [key.id] });
  const [outcome] = outcomes;
  if (outcome === undefined)
    return { result: 'parked', message: `The peer ${row.peer} is not in the config any more.` };
  const { result, code, message } = outcome;
  return { result, ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) };
}

/** Gives one up; false if nothing is parked under the id. */
export async function dropParkedEntry(site: Site, parkedId: string): Promise<boolean> {
  const key = parseParkedId(parkedId);
  if (key === undefined) return false;
  if (key.direction === 'in') return dropParked(site.db, site.own, key.id);
  return dropEntry(site.db, site.own, toName(key));
}

/** Lets through what the guard holds for a peer, out and in. Throws `PEER_UNKNOWN`. Returns how many. */
export async function approvePeer(site: Site, peer: string, nowMs: number): Promise<number> {
  const { name } = site.route(peer);
  const out = await releaseHeld(site.db, site.own, name, nowMs);
  const ids = await heldOf(site.db, site.own, name);
  if (ids.length > 0) await site.retryParked({ ids, approved: true });
  return out + ids.length;
}

function toName(key: { peer: string; kind: 'u' | 'r'; ref: number }): EntryName {
  return { peer: key.peer, kind: key.kind === 'u' ? 'user' : 'removal', ref: key.ref };
}
