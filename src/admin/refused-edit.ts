/** That an edit of the config file was refused, for those who look from outside of the daemon: table `state`. */
import { readState, writeState } from '../store/state.ts';
import type { Runner } from '../db/transaction.ts';

/** An edit that is not in force. */
export interface RefusedEdit {
  /** ISO 8601, UTC. */
  readonly since: string;
  /** The problems as they were logged, one per line; cut where they are many. */
  readonly problems: string;
}

/** What a value of table `state` holds, in characters. */
const LONGEST = 500;

/** Notes a refusal, or that there is none any more. */
export async function noteRefusedEdit(runner: Runner, problems: string | undefined, nowMs: number): Promise<void> {
  const text = problems === undefined ? null : `${new Date(nowMs).toISOString()} ${problems}`;
  await writeState(runner, 'config_refused', text === null ? null : text.slice(0, LONGEST).toWellFormed());
}

/** The refusal that was noted last, if the daemon has not taken over another edit since. */
export async function readRefusedEdit(runner: Runner): Promise<RefusedEdit | undefined> {
  const text = await readState(runner, 'config_refused');
  if (text === undefined) return undefined;
  const at = text.indexOf(' ');
  return { since: text.slice(0, at), problems: text.slice(at + 1) };
}
