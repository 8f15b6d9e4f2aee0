/** Stands in for src/store/plugin-seen.ts. Memories are packed and unpacked as they are there. */
import { canonicalEmail } from '../../../src/model/uid.ts';
import { packMemory, unpackMemory, type Memory } from '../../../src/model/plugin-memory.ts';
import type { AccountThere, RemovalEvidence, Replacement, Seen } from '../../../src/store/plugin-seen.ts';
import { memoryOf } from './database.ts';

/** A row of our table `seen`. */
export interface SeenRow extends Omit<Seen, 'memory' | 'earlier' | 'isUndecided'> {
  /** As packed; that of a user who is gone begins with a minus. */
  readonly hashes: string | null;
  readonly email: string | null;
}

export const ECHO_MS = 7 * 86_400_000;
export const ONE_RUN_MS = 10 * 60_000;
export const RARE_RUNS_MS = 2 * 86_400_000;
const NOTHING: SeenRow = {
  hashes: null,
  email: null,
  removalId: null,
  echoUntilMs: 0,
  changedAtMs: 0,
  accountId: null,
  user: null,
  hasMet: false,
  replaced: null,
  rowsSaid: [],
};

function keyOf(peer: string, email: string): string {
  return `${peer} ${canonicalEmail(email)}`;
}

function change(runner: unknown, peer: string, email: string, how: (row: SeenRow) => SeenRow): void {
  const memory = memoryOf(runner);
  memory.step();
  const key = keyOf(peer, email);
  memory.tables.seen.set(key, how(memory.tables.seen.get(key) ?? NOTHING));
}

const isGone = ({ hashes }: SeenRow): boolean => hashes?.startsWith('-') !== false;

export async function readSeen(
  runner: unknown,

  peer: string,
  emails: readonly string[],
  _options: { lock?: boolean } = {},
): Promise<Map<string, Seen>> {
  const { seen } = memoryOf(runner).tables;
  return new Map(
    emails.flatMap((email) => {
      const row = seen.get(keyOf(peer, email));
      if (row === undefined) return [];
      const { hashes, email: kept, ...rest } = row;
      const isUndecided = kept !== null && row.removalId === null;
      const memory = isGone(row) ? null : unpackMemory(hashes ?? '{}');
      const earlier = hashes?.startsWith('-') === true ? unpackMemory(hashes.slice(1)) : null;
      return [[canonicalEmail(email), { ...rest, memory, earlier, isUndecided }] as const];
    }),
  );
}

export async function writeMemories(
  runner: unknown,

  peer: string,
  memories: ReadonlyMap<string, Memory>,
  nowMs: number,
): Promise<void> {
  for (const [email, memory] of memories) {
    change(runner, peer, email, (row) => ({
      ...row,
      accountId: isGone(row) ? null : row.accountId,
      hasMet: !isGone(row) && row.hasMet,
      hashes: packMemory(memory),
      changedAtMs: nowMs,
    }));
  }
}

export async function writeAccounts(
  runner: unknown,

  peer: string,
  accounts: ReadonlyMap<string, AccountThere>,
): Promise<void> {
  for (const [email, account] of accounts) change(runner, peer, email, (row) => ({ ...row, ...account }));
}

export async function noteReplaced(
  runner: unknown,

  peer: string,
  email: string,
  { isFirst, forMs, ...replaced }: Replacement,
  nowMs: number,
): Promise<void> {
  const untilMs = nowMs + forMs;
  const forgotten = isFirst ? {} : { email: null, removalId: null };
  change(runner, peer, email, (row) => ({ ...row, replaced: { ...replaced, untilMs }, ...forgotten }));
}

export async function forgetReplaced(runner: unknown, peer: string, email: string): Promise<void> {
  if (memoryOf(runner).tables.seen.has(keyOf(peer, email))) {
    change(runner, peer, email, (row) => ({ ...row, replaced: null }));
  }
}

export async function noteUndecided(
  runner: unknown,

  peer: string,
  email: string,
  nowMs: number,
): Promise<void> {
  const row = memoryOf(runner).tables.seen.get(keyOf(peer, email));
  if (row?.removalId !== null) return;
  change(runner, peer, email, (before) => ({ ...before, email: canonicalEmail(email), changedAtMs: nowMs }));
}

export async function forgetUndecided(runner: unknown, peer: string, email: string): Promise<void> {
  const row = memoryOf(runner).tables.seen.get(keyOf(peer, email));
  if (row?.removalId === null) change(runner, peer, email, (before) => ({ ...before, email: null }));
}

export async function forgetRemoval(runner: unknown, peer: string, removalId: number): Promise<void> {
  for (const [key, row] of memoryOf(runner).tables.seen) {
    if (!key.startsWith(`${peer} `) || row.removalId !== removalId || row.email === null) continue;
    change(runner, peer, row.email, (before) => ({ ...before, email: null, removalId: null }));
  }
}

export async function undecidedRemovals(
  runner: unknown,

  peer: string,
  beforeMs: number,
): Promise<string[]> {
  return [...memoryOf(runner).tables.seen].flatMap(([key, { email, removalId, changedAtMs }]) =>
    key.startsWith(`${peer} `) && email !== null && removalId === null && changedAtMs < beforeMs ? [email] : [],
  );
}

export async function noteRemoved(
  runner: unknown,

  peer: string,
  removal: { readonly email: string; readonly removalId: number; readonly told: boolean },
  nowMs: number,
): Promise<void> {
  const { email, removalId, told } = removal;
  const echoUntilMs = nowMs + ECHO_MS;
  change(runner, peer, email, (row) =>
    told
      ? {
          ...row,
          email: canonicalEmail(email),
          removalId,
          changedAtMs: nowMs,
          echoUntilMs: isGone(row) ? row.echoUntilMs : echoUntilMs,
        }
      : { ...row, echoUntilMs, changedAtMs: nowMs },
  );
}

export async function removedAddresses(
  runner: unknown,

  peer: string,
  removalIds: readonly number[],
): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const [key, { removalId, email }] of memoryOf(runner).tables.seen) {
    if (!key.startsWith(`${peer} `) || removalId === null || email === null) continue;
    if (removalIds.includes(removalId)) found.set(removalId, email);
  }
  return found;
}

export async function noteRemovedAtPeer(
  runner: unknown,

  peer: string,
  email: string,
  outcome: RemovalEvidence,
  nowMs: number,
): Promise<void> {
  change(runner, peer, email, (row) => ({
    ...row,
    hashes: outcome.startsWith('heard')
      ? '-{}'
      : row.hashes?.startsWith('-') === true
        ? row.hashes
        : `-${row.hashes ?? '{}'}`,
    email: null,
    removalId: null,
    changedAtMs: nowMs,
    echoUntilMs: outcome === 'heard' ? 0 : outcome === 'told' ? row.echoUntilMs : nowMs + ECHO_MS,
  }));
}

export async function countUnguarded(): Promise<number> {
  throw new Error('not here');
}

export async function sweepSeen(): Promise<void> {}
