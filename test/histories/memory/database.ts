/**
 * The database of one site, in memory: the users of the host and the daemon's own tables. It knows transactions, and it
 * can be told to fail at a statement, as a daemon that is killed there would.
 */
import type { Kysely } from 'kysely';
import type { Marker } from '../../../src/store/markers.ts';
import type { StoredUser } from '../../../src/store/shadows.ts';
import type { TombstoneRow } from '../../../src/model/tombstone.ts';
import type { Value } from '../../../src/model/register.ts';
import type { Uid } from '../../../src/model/uid.ts';
import type { ParkedRow } from '../../../src/store/parked.ts';
import type { DueEntry } from '../../../src/store/outbox.ts';
import type { SeenRow } from './seen-store.ts';

/** A row of `t_user` with its descriptions. */
export interface HostRow {
  readonly id: number;
  readonly columns: Readonly<Record<string, Value>>;
  readonly texts: ReadonlyMap<string, string | null>;
  /** Registrations whose data this row ever held; for the checks, the daemon does not see it. */
  readonly lineage: ReadonlySet<string>;
  /** A password that is being set, or was set, by the link in a mail. */
  readonly reset?: { readonly code: string; readonly isDone: boolean };
  /** Somebody who lost the account to its owner is still logged in. */
  readonly isHaunted?: boolean;
}

/** A row of our outbox. */
export interface OutboxRow extends DueEntry {
  readonly peer: string;
  readonly dueAtMs: number;
}

/** A row of our parked records. */
export interface ParkedMemory extends ParkedRow {
  readonly uid: Uid;
  readonly triedAtMs: number;
}

interface Tables {
  rows: Map<number, HostRow>;
  queue: Map<string, Marker>;
  users: Map<number, StoredUser>;
  uids: Map<Uid, number>;
  tombstoneRows: Map<Uid, TombstoneRow>;
  outbox: Map<string, OutboxRow>;
  parked: Map<string, ParkedMemory>;
  state: Map<string, string>;
  seen: Map<string, SeenRow>;
}

/** What a killed daemon leaves: nothing of the transaction. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

/** One database. */
export class Memory {
  tables: Tables = noTables();
  /** The daemon writes now: its writes make no markers. */
  applying = false;
  /** What Osclass's preference says. */
  validates = true;
  /** Statements until the next crash. */
  crashIn = Infinity;
  /** What the database itself refused; a sound daemon never gets there. */
  readonly refusals: string[] = [];
  /** Is told of accounts that the daemon deletes. */
  onDaemonRemoval: (row: HostRow) => void = () => undefined;
  /** Is told of values that the daemon puts in the place of others. `isGivenOver`: with the account, to the owner of its address. */
  onDaemonWrite: (row: HostRow, from: Value, to: Value, isGivenOver: boolean) => void = () => undefined;
  /** The same, with the row as it was and the column. */
  onDaemonRowWrite: (row: HostRow, column: string, from: Value, to: Value) => void = () => undefined;
  #sequence = 0;

  readonly nowMs: () => number;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** A number nobody had; not taken back by a rollback. */
  next(): number {
    return ++this.#sequence;
  }

  /** Every statement passes here. */
  step(): void {
    if (--this.crashIn > 0) return;
    this.crashIn = Infinity;
    throw new Crash('killed');
  }

  /** Runs `work`; takes back what it wrote if it throws. */
  async transact<T>(work: () => Promise<T>): Promise<T> {
    const before = copy(this.tables);
    try {
      const result = await work();
      this.step();
      return result;
    } catch (error) {
      this.tables = before;
      throw error;
    } finally {
      this.applying = false;
    }
  }

  /** What uninstalling does: our own tables are gone. */
  forget(): void {
    const { rows } = this.tables;
    this.tables = { ...noTables(), rows };
  }

  /** What a trigger does. */
  mark(userId: number, op: Marker['op'], oldEmail: string | null, oldUserId: number | null = null): void {
    if (this.applying) return;
    const seq = String(this.next());
    this.tables.queue.set(seq, { seq, userId, op, oldEmail, oldUserId, atMs: this.nowMs() });
  }
}

/** The database behind what the daemon takes for a connection. */
export function memoryOf(runner: unknown): Memory {
  return runner as Memory;
}

/** The database as the daemon takes it. */
export function asConnection(memory: Memory): Kysely<unknown> {
  return memory as unknown as Kysely<unknown>;
}

function noTables(): Tables {
  return {
    rows: new Map(),
    queue: new Map(),
    users: new Map(),
    uids: new Map(),
    tombstoneRows: new Map(),
    outbox: new Map(),
    parked: new Map(),
    state: new Map(),
    seen: new Map(),
  };
}

function copy(tables: Tables): Tables {
  return {
    rows: new Map(tables.rows),
    queue: new Map(tables.queue),
    users: new Map(tables.users),
    uids: new Map(tables.uids),
    tombstoneRows: new Map(tables.tombstoneRows),
    outbox: new Map(tables.outbox),
    parked: new Map(tables.parked),
    state: new Map(tables.state),
    seen: new Map(tables.seen),
  };
}
