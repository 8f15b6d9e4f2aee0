/** What became of a record that was applied. */
import type { ErrorCode } from './errors.ts';
import type { Changes, GuardClass } from './guard.ts';
import type { StreamResult, WireRecord } from './record.ts';
import type { RegisterName } from './register.ts';
import type { PeerRoute } from './route.ts';
import type { Uid } from './uid.ts';

/** A parked record, as it was read: a later one of the same user may take its place meanwhile. */
export interface ParkedRef {
  readonly id: number;
  /** Each record that takes the place, and each try, adds one. */
  readonly attempts: number;
}

/** Where records come from. */
export interface RecordSource {
  readonly route: PeerRoute;
  /** `parked`: a record of that peer that was parked here. */
  readonly via: 'stream' | 'feed' | 'parked';
  readonly trace: string;
  readonly ip: string | null;
  readonly keyDigest: string | null;
  /** The peer is the master: its values win whatever the stamps, as if set now. */
  readonly overwrite: boolean;
  /** Only `parked`: what the guard held of these classes, a person approved. */
  readonly approved?: readonly GuardClass[];
  /** A person started the feed, and was told beforehand what it would change: of the guard's classes only removals count. */
  readonly startedByPerson?: true;
  /** A person said that these are the same as the accounts here that have their addresses. */
  readonly linked?: true;
  /** Only `parked`: the row of each record. */
  readonly rows?: ReadonlyMap<WireRecord, ParkedRef>;
  /** The records have been parked so long that they are no late ones: what came after them would have come too. */
  readonly waited?: true;
}

/** Something that went otherwise than asked; the record was applied all the same. */
export interface Note {
  readonly code: ErrorCode;
  readonly register?: RegisterName;
  readonly message: string;
  /** Only `CONFLICT`: the values, masked. */
  readonly kept?: unknown;
  readonly lost?: unknown;
}

/** What was done to the account. */
export type Operation = 'insert' | 'update' | 'link' | 'remove' | 'none';

/** The outcome of one record. */
export interface Outcome {
  readonly result: StreamResult['result'];
  readonly operation: Operation;
  readonly uid: Uid;
  readonly userId: number | null;
  readonly email: string | null;
  /** Registers that were taken over. */
  readonly registers: readonly RegisterName[];
  readonly notes: readonly Note[];
  /** Why it was parked, or has to be tried again, or was not done. */
  readonly code?: ErrorCode;
  readonly message?: string;
  /** What of it the guard counts, and was, or would be, done. */
  readonly guarded?: Changes;
  /** Masked old → new values, only where a dry run asked for them. */
  readonly changes?: Readonly<Record<string, { from: unknown; to: unknown }>>;
}

/** The same as the sender gets to see it. */
export function toStreamResult(outcome: Outcome): StreamResult {
  const { result, code, message } = outcome;
  return { result, ...(code === undefined ? {} : { code }), ...(message === undefined ? {} : { message }) };
}
