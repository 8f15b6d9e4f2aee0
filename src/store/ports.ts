/** What one feature folder needs of another, as functions that the composition root passes in. */
import type { LogEntry } from '../model/log-entry.ts';
import type { Validation } from '../model/proof.ts';
import type { OutboxEntry, PeerRoute } from '../model/route.ts';
import type { Uid } from '../model/uid.ts';
import type { Runner } from '../db/transaction.ts';

/** The outboxes, as those see them who put users in. */
export interface OutboxWriter {
  /** Adds entries, or marks those that wait as changed again. */
  enqueue(runner: Runner, entries: readonly OutboxEntry[], nowMs: number): Promise<void>;
  /** Which of the users wait in some outbox. */
  usersWaiting(runner: Runner, userIds: readonly number[]): Promise<Set<number>>;
  /** Takes out users that were removed. */
  dropUsers(runner: Runner, userIds: readonly number[]): Promise<void>;
  /**
   * Lets what waits of users follow them to other ids: entries of outboxes, whatever peer they are for. Old id → new id, all
   * at once. Nothing else may wait under the new ids.
   */
  renumber(runner: Runner, moves: ReadonlyMap<number, number>, nowMs: number): Promise<void>;
  /** Is told of every user that is removed here: a peer that knows users by nothing but their address needs it. */
  removed?(runner: Runner, removal: RemovedUser): Promise<void>;
}

/** A user that is removed here. */
export interface RemovedUser {
  readonly email: string;
  /** Of the tombstone. */
  readonly removalId: number;
  /** Those that are removed with the user. */
  readonly uids: readonly Uid[];
  /** Peers that get an entry for it. */
  readonly told: readonly string[];
  /** The peer that said so; absent: it happened here. */
  readonly from?: string;
}

/** Writes log records, inside the caller's transaction. */
export type AppendLog = (runner: Runner, entries: readonly LogEntry[]) => Promise<void>;

/** How the site goes about addresses, as its database says now. */
export type ReadValidation = (runner: Runner) => Promise<Validation>;

/** The peers as the config in force has them. */
export type Routes = () => readonly PeerRoute[];
