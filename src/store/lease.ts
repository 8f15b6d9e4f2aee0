/**
 * Leases: who does a kind of work. A row with holder and expiry, by the clock of the
 * database. Not GET_LOCK, which is local to one node of a cluster.
 */
import { sql, type Kysely, type RawBuilder } from 'kysely';
import { SyncError } from '../model/errors.ts';
import { isConflict, isDuplicate } from '../db/failures.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** Work that is ours until the lease expires. */
export interface Lease {
  readonly name: string;
  /** Often enough for it not to expire under who works on. */
  readonly renewEveryMs: number;
  /**
   * Proves inside `trx` that the work is still ours, prolongs the lease, and keeps everyone else from taking it until
   * `trx` ends. To be called last before the commit. Throws `LEASE_LOST`.
   */
  fence(trx: Runner): Promise<void>;
  /** Prolongs the lease. Throws `LEASE_LOST`. */
  renew(): Promise<void>;
  /** Lets others have it at once. Does nothing if it was lost. Where it fails, the same daemon can still take it again at once. */
  release(): Promise<void>;
}

export interface Leases {
  /**
   * The lease, or undefined while someone holds it: another daemon, or this one in another place. Every lease taken is
   * told apart, so work that slept past its expiry fails even if the same daemon took the lease again.
   */
  tryAcquire(name: string): Promise<Lease | undefined>;
}

export interface LeasesOptions {
  readonly db: Kysely<unknown>;

  /** Unique for this process; up to 40 ASCII characters. */
  readonly holder: string;
  /** Default {@link TTL_MS}; all daemons of a site have the same. */
  readonly ttlMs?: number;
}

/** Used to give a lease back. */
const LONG_AGO = '2000-01-01 00:00:00';
/** How long a lease lasts that nobody renews. */
export const TTL_MS = 30_000;

/** Whether a lease is held. None lasts longer: one that would is of a time before the clock was set back. */
function isHeld(ttlMs: number): RawBuilder<unknown> {
  return sql`(expires_at > UTC_TIMESTAMP(3)
    AND expires_at <= UTC_TIMESTAMP(3) + INTERVAL ${2 * ttlMs * 1000} MICROSECOND)`;
}

/** Leases of one daemon. */
export function makeLeases({ db, holder, ttlMs = TTL_MS }: LeasesOptions): Leases {
  const table = own.lease;
  const heldByOthers = (me: string): RawBuilder<unknown> => sql`(${isHeld(ttlMs)} AND holder <> ${me})`;
  const expiry = sql`UTC_TIMESTAMP(3) + INTERVAL ${ttlMs * 1000} MICROSECOND`;
  let taken = 0;
  /**
   * By name of a lease, as whom we may hold it though nobody works under it: what was to take it or to give it back has
   * failed, or its answer was lost. It is ours to take again, without waiting for its expiry.
   */
  const unreturned = new Map<string, string>();

  /** Without locks: whoever is just committing under a fence must not be waited for. */
  const look = async (name: string, me: string): Promise<'held' | 'free' | 'absent'> => {
    const { rows } = await sql<{ held: string | number }>`SELECT ${heldByOthers(me)} AS held
      FROM ${table} WHERE name = ${name}`.execute(db);
    if (rows[0] === undefined) return 'absent';
    return Number(rows[0].held) === 1 ? 'held' : 'free';
  };

  /** Rows count as affected when found, whether they changed or not (the driver asks the server to count so). */
  const takeOver = async (name: string, me: string): Promise<boolean> => {
    const result = await sql`UPDATE ${table} SET holder = ${me}, expires_at = ${expiry}
      WHERE name = ${name} AND NOT ${heldByOthers(me)}`.execute(db);
    return result.numAffectedRows === 1n;
  };

  const insert = async (name: string, me: string): Promise<boolean> => {
    await sql`INSERT INTO ${table} (name, holder, expires_at) VALUES (${name}, ${me}, ${expiry})`.execute(db);
    return true;
  };

  const makeLease = (name: string, me: string): Lease => {
    const fence = async (runner: Runner): Promise<void> => {
      const result = await sql`UPDATE ${table} SET expires_at = ${expiry}
        WHERE name = ${name} AND holder = ${me} AND expires_at > UTC_TIMESTAMP(3)`.execute(runner);
      if (result.numAffectedRows !== 1n) throw new SyncError('LEASE_LOST', `Another worker took over ${name}.`);
    };
    return {
      name,
      renewEveryMs: ttlMs / 3,
      fence,
      renew: () => inTransaction(db, fence),
      async release() {
        try {
          await inTransaction(db, (trx) =>
            sql`UPDATE ${table} SET expires_at = ${LONG_AGO}
              WHERE name = ${name} AND holder = ${me} AND expires_at > UTC_TIMESTAMP(3)`.execute(trx),
          );
        } catch (error) {
          unreturned.set(name, me);
          throw error;
        }
      },
    };
  };

  return {
    async tryAcquire(name) {
      // Who asks at the same time is told apart.
      const me = unreturned.get(name) ?? `${holder}#${(taken += 1)}`;
      unreturned.delete(name);
      try {
        const state = await look(name, me);
        if (state === 'held') return undefined;
        const won = state === 'free' ? await takeOver(name, me) : await insert(name, me);
        return won ? makeLease(name, me) : undefined;
      } catch (error) {
        unreturned.set(name, me);
        // Someone else was faster, or is committing under a fence just now.
        if (isDuplicate(error) || isConflict(error)) return undefined;
        throw error;
      }
    },
  };
}

/** True while anybody holds a lease: a daemon or a command at work, or one that was killed less than its time ago. */
export async function isAnyLeaseHeld(runner: Runner): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM ${own.lease} WHERE ${isHeld(TTL_MS)} LIMIT 1`.execute(runner);
  return rows.length > 0;
}

/** A lease as somebody else sees it. */
export interface LeaseSeen {
  readonly holder: string;
  readonly expiresAt: string;
  readonly held: boolean;
}

/** All that were ever taken, by name. */
export async function readLeases(runner: Runner): Promise<ReadonlyMap<string, LeaseSeen>> {
  const { rows } = await sql<{ name: string; holder: string; expires_at: unknown; held: string | number }>`
    SELECT name, holder, expires_at, ${isHeld(TTL_MS)} AS held FROM ${own.lease}`.execute(runner);
  return new Map(
    rows.map(({ name, holder, expires_at, held }) => [
      name,
      { holder, expiresAt: String(expires_at), held: Number(held) === 1 },
    ]),
  );
}

/** True if somebody took or prolonged a lease between two looks; one that was given back or ran out says nothing. */
export function isWorkSeen(before: ReadonlyMap<string, LeaseSeen>, now: ReadonlyMap<string, LeaseSeen>): boolean {
  return [...now].some(([name, { holder, expiresAt, held }]) => {
    const then = before.get(name);
    return then?.holder !== holder || (held && then.expiresAt !== expiresAt);
  });
}
