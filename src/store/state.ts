/** Single values that outlive a restart: table `state`. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** Names of the values, so that they are all in one place. */
export type StateName =
  | 'baseline_cursor'
  | 'baseline_finished_at'
  | 'rescan_wanted'
  | 'registers_watched'
  /** How the tables that are synchronised are defined: a digest. */
  | 'tables_defined'
  /** A table or column that is synchronised; the name ends in a digest of it. */
  | `watched:${string}`
  /** Set while the queue takes no markers, and until a re-scan was asked for after that. */
  | 'markers_lost'
  /** Why the last edit of the config is not in force. */
  | 'config_refused'
  /** Scan mode: how far the search for deleted accounts is; only while it is under way. */
  | 'absent_cursor'
  /** Scan mode: set while accounts that are missing do not count as deleted. */
  | 'absent_amnesty'
  /** Scan mode: what `t_user` looked like when that search began. */
  | 'table_seen'
  /** When all users were last compared, UTC. */
  | 'scanned_at'
  /** Whether the site validated addresses when its accounts were first looked at: `yes` or `no`; see {@link Validation}. */
  | 'validated_at_first_sight'
  /** Milliseconds since 1970: since when it was seen to validate them; only while it does. */
  | 'validates_since'
  /** The server that the database was on when last looked at. */
  | 'server_id'
  /** See installation.ts. */
  | 'installation_id'
  /** Counts the transactions that asked the guard; see guard-events.ts. */
  | 'guard_turn'
  /** A call that a peer was asked to make; see call-backs.ts. */
  | `call_back:${string}`
  /** How far the rolling re-feed of a plugin peer is. */
  | `refeed:${string}`;

/** Those of the values that are set. `SELECT name, value FROM state WHERE name IN (…)` */
export async function readStates(runner: Runner, names: readonly StateName[]): Promise<ReadonlyMap<StateName, string>> {
  const { rows } = await sql<{ name: StateName; value: string }>`
    SELECT name, value FROM ${own.state} WHERE name IN (${bindList(names)})`.execute(runner);
  return new Map(rows.map(({ name, value }) => [name, value]));
}

/**
 * The value, or undefined if it was never set. `lock`: as it was committed last, and kept so until the end of the
 * transaction. `SELECT value FROM state WHERE name = ? [FOR UPDATE]`
 */
export async function readState(runner: Runner, name: StateName, { lock = false } = {}): Promise<string | undefined> {
  const { rows } = await sql<{ value: string }>`
    SELECT value FROM ${own.state} WHERE name = ${name} ${lock ? sql`FOR UPDATE` : sql``}`.execute(runner);
  return rows[0]?.value;
}

/** All values whose names begin so. `SELECT value FROM state WHERE name LIKE 'watched:%'` */
export async function readStatesOf(runner: Runner, kind: 'watched'): Promise<string[]> {
  const { rows } = await sql<{ value: string }>`
    SELECT value FROM ${own.state} WHERE name LIKE ${`${kind}:%`}`.execute(runner);
  return rows.map((row) => row.value);
}

/** Sets the value; null removes it. */
export async function writeState(runner: Runner, name: StateName, value: string | null): Promise<void> {
  if (value === null) await sql`DELETE FROM ${own.state} WHERE name = ${name}`.execute(runner);
  else {
    await sql`INSERT INTO ${own.state} (name, value) VALUES (${name}, ${value})
      ON DUPLICATE KEY UPDATE value = VALUES(value)`.execute(runner);
  }
}
