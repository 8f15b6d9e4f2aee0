/** What the guard holds of a peer and for it, and letting it through. */
import { inTransaction, type Runner } from '../db/transaction.ts';
import { ALL_CHANGES, changesIn, classesOf, GUARD_CLASSES, type GuardClass } from '../model/guard.ts';
import type { ReleaseOutcome } from '../model/response-schemas.ts';
import type { Actor } from '../server/deps.ts';
import type { Site } from '../site/site.ts';
import { countHeld, releaseHeld, type HeldCount } from '../store/outbox.ts';
import { countHeldOf, heldOf } from '../store/parked.ts';

/** What to let through. */
export interface Approval {
  /** Only this class; all unless given. */
  readonly only?: GuardClass | undefined;
  /** Says what would be let through; writes nothing. */
  readonly dryRun?: boolean;
}

/** Records that are applied in one go: each may be large. */
const RECORDS_AT_ONCE = 200;

/**
 * Lets through what the guard holds now of a peer and for it, out and in. What is held of other classes of the same accounts stays
 * so. Throws `PEER_UNKNOWN`. Returns how much. If it is interrupted, the rest is still held.
 */
export async function approvePeer(
  site: Site,
  peer: string,
  nowMs: number,
  by: Actor,
  { only, dryRun = false }: Approval = {},
): Promise<ReleaseOutcome> {
  const { db } = site;
  const { name } = site.route(peer);
  const classes = only === undefined ? GUARD_CLASSES : [only];
  const changes = only === undefined ? ALL_CHANGES : changesIn(classes);
  const counted = [...(await countHeld(db, name, changes)), ...(await countHeldOf(db, name, changes))];
  const told = { by_class: byClass(counted, classes), dry_run: dryRun };
  if (dryRun) return { released: counted.reduce((sum, { count }) => sum + count, 0), ...told };
  const out = await inTransaction(db, async (trx) => {
    const released = await releaseHeld(trx, name, changes, nowMs);
    if (released > 0) await noteApproval(site, trx, by, { type: 'STREAM', peer: name, released, classes });
    return released;
  });
  const ids = await heldOf(db, name, changes);
  if (ids.length > 0) {
    await noteApproval(site, db, by, { type: 'PROCESS', peer: name, released: ids.length, classes });
    for (let at = 0; at < ids.length; at += RECORDS_AT_ONCE) {
      await site.retryParked({ ids: ids.slice(at, at + RECORDS_AT_ONCE), approved: classes });
    }
  }
  return { released: out + ids.length, ...told };
}

/** One entry may be held for several. */
function byClass(counted: readonly HeldCount[], classes: readonly GuardClass[]): ReleaseOutcome['by_class'] {
  const sums: Record<GuardClass, number> = { removals: 0, credentials: 0, revivals: 0, creations: 0 };
  for (const { held, count } of counted) {
    for (const name of classesOf(held)) if (classes.includes(name)) sums[name] += count;
  }
  return sums;
}

async function noteApproval(
  { activity }: Site,
  runner: Runner,
  by: Actor,
  {
    type,
    peer,
    released,
    classes,
  }: { type: 'STREAM' | 'PROCESS'; peer: string; released: number; classes: readonly GuardClass[] },
): Promise<void> {
  const what = type === 'STREAM' ? 'to' : 'of';
  const which = classes.length === 1 ? ` (${classes.join()})` : '';
  await activity.append(runner, [
    {
      type,
      peer,
      key: by.keyDigest,
      ip: by.ip,
      trace: by.trace,
      status: 'OK',
      response: `Approved by ${by.name}: ${released} held ${released === 1 ? 'entry' : 'entries'} ${what} ${peer}${which}`,
      content: { operation: 'approve', by: by.name, released, classes },
    },
  ]);
}
