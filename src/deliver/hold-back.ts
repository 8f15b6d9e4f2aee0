/**
 * The guard, outgoing: a site that was broken into stops itself. What exceeds is left out of what is sent, and waits for a person
 * in the outbox; the rest of the account goes out. Each change is counted once, before it is sent for the first time.
 */
import { CHANGE, CHANGES_OF, GUARD_CLASSES, weightOf, type Changes, type GuardLimits } from '../model/guard.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Ident } from '../db/catalog.ts';
import { openGuardLedger, type GuardLedger } from '../store/guard-ledger.ts';
import { noteDecided, undecidedRemovals, type DueEntry, type GuardDecision } from '../store/outbox.ts';
import { fenced, type BatchDeps } from './batch.ts';

/** What holding back needs. */
export interface HoldBackDeps extends Pick<BatchDeps, 'db' | 'lease' | 'nowMs' | 'formFor'> {
  readonly guard: GuardLimits;
  /** The host's `t_user`. */
  readonly userTable: Ident;
}

/** Decides of what is due and new; returns what goes out, each entry with what of it is held. */
export async function holdBack(
  deps: HoldBackDeps,
  { name: peer }: PeerRoute,
  due: readonly DueEntry[],
  signal: AbortSignal | undefined,
): Promise<readonly DueEntry[]> {
  const open = due.filter((entry) => openOf(entry) !== 0 || entry.held !== 0);
  if (open.length === 0) return due;
  const { isByAddress } = await deps.formFor(peer, signal);
  const decisions = new Map<DueEntry, GuardDecision>();
  await fenced(deps, async (trx) => {
    decisions.clear();
    const missing = await undecidedRemovals(trx, peer);
    const { guard: limits, userTable, nowMs } = deps;
    const ledger = openGuardLedger(trx, { limits, userTable, nowMs }, { peer, direction: 'out' }, missing);
    const revived = open.filter((entry) => (openOf(entry) & CHANGE.revival) !== 0).map(({ ref }) => ref);
    const createdLately = await ledger.createdLately(revived);
    const created: number[] = [];
    for (const entry of open) {
      const decision = await decide(ledger, entry, { createdLately, isByAddress });
      decisions.set(entry, decision);
      if ((openOf(entry) & decision.passed & CHANGE.creation) !== 0) created.push(entry.ref);
    }
    await ledger.write(created);
    const groups = Map.groupBy(open, (entry) => JSON.stringify(decisions.get(entry)));
    for (const alike of groups.values()) {
      await noteDecided(trx, peer, alike, decisions.get(alike[0] as DueEntry) as GuardDecision);
    }
  });
  return due.flatMap((entry): DueEntry[] => {
    const decision = decisions.get(entry);
    if (decision === undefined) return [entry];
    const { passed, held, isWhole } = decision;
    return isWhole ? [] : [{ ...entry, passed: entry.passed | passed, held: entry.held | held }];
  });
}

/** What of an entry nothing was decided of yet. */
function openOf({ changes, passed, held }: DueEntry): Changes {
  return changes & ~passed & ~held;
}

/** What is known besides the entry. */
interface Surroundings {
  readonly createdLately: ReadonlySet<number>;
  /** The peer knows accounts by nothing but their address: one whose new address is held cannot be named to it. */
  readonly isByAddress: boolean;
}

async function decide(
  ledger: GuardLedger,
  entry: DueEntry,
  { createdLately, isByAddress }: Surroundings,
): Promise<GuardDecision> {
  const open = openOf(entry);
  let [passed, held]: [Changes, Changes] = [0, 0];
  // Of an account that the peer does not have, or is just getting, all else is part of its creation.
  if ((entry.changes & CHANGE.creation) !== 0) {
    const isNew = (open & CHANGE.creation) !== 0;
    if (!isNew || (await ledger.admits('creations', 1))) passed = open;
    else held = CHANGE.creation;
  } else {
    for (const name of GUARD_CLASSES) {
      const counted = CHANGES_OF[name] & open;
      if (counted === 0) continue;
      const isPart = name === 'revivals' && createdLately.has(entry.ref);
      const gone = entry.kind === 'removal' ? [0] : [];
      if (isPart || (await ledger.admits(name, weightOf(name, counted), gone))) passed |= counted;
      else held |= counted;
    }
  }
  const all = entry.held | held;
  const isUnnamed = isByAddress && (all & CHANGE.address) !== 0;
  const isWhole = isUnnamed || (all !== 0 && (entry.kind === 'removal' || (all & CHANGE.creation) !== 0));
  return { passed, held, isWhole };
}
