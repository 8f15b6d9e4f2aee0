/** Calls that a peer was asked to make to us, as a proof of its way: table `state`, until `check` has looked. */
import { sql } from 'kysely';
import { readState, writeState, type StateName } from './state.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

const nameOf = (nonce: string): StateName => `call_back:${nonce}`;

/** What is left of a check that was killed goes after an hour. */
const FORGET_AFTER_MS = 3_600_000;

/** From now on a call with this number is noted. The value begins with the time: `2026-01-01T00:00:00.000Z`. */
export async function expectCallBack(runner: Runner, nonce: string, nowMs: number): Promise<void> {
  const since = new Date(nowMs - FORGET_AFTER_MS).toISOString();
  await sql`DELETE FROM ${own.state} WHERE name LIKE 'call\\_back:%' AND value < ${since}`.execute(runner);
  await writeState(runner, nameOf(nonce), new Date(nowMs).toISOString());
}

/**
 * A call with this number came from that peer; nothing if none was expected.
 * `UPDATE state SET value = CONCAT(SUBSTRING(value, 1, 24), ' PEER') WHERE name = 'call_back:…'`
 */
export async function noteCallBack(runner: Runner, nonce: string, peer: string): Promise<void> {
  await sql`
    UPDATE ${own.state} SET value = CONCAT(SUBSTRING(value, 1, 24), ' ', ${peer})
    WHERE name = ${nameOf(nonce)}`.execute(runner);
}

/** The peer that called with this number; undefined: nobody did. The number counts no more. */
export async function takeCallBack(runner: Runner, nonce: string): Promise<string | undefined> {
  const value = await readState(runner, nameOf(nonce));
  await writeState(runner, nameOf(nonce), null);
  return value?.split(' ')[1];
}

/** True if a daemon of this site is running, or was some seconds ago: it holds the lease `daemon`. */
export async function isDaemonRunning(runner: Runner): Promise<boolean> {
  const { rows } = await sql`
    SELECT 1 FROM ${own.lease} WHERE name = 'daemon' AND expires_at > UTC_TIMESTAMP(3)`.execute(runner);
  return rows.length > 0;
}
