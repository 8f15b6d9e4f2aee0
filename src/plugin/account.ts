/**
 * Which account of a plugin peer a row is about. The plugin names accounts by their address alone, but an address comes
 * to another account: its owner deletes the one and registers again, or gives the address up and somebody else takes it.
 * What tells accounts apart are address, id and date of registration together. Pure.
 */
import { impress, noveltyOf, type Memory } from '../model/plugin-memory.ts';
import type { PluginRow } from './row.ts';
import type { Seen } from '../store/plugin-seen.ts';

/** What is known of the account in a row beside the one that had the address at the peer so far. */
export type AccountMatch =
  /** Nothing was known of that one. */
  | 'unknown'
  | 'same'
  /** Id or date differ, but not both beyond doubt: a table that was renumbered or restored, or a date that we told. */
  | 'unclear'
  | 'other';

const REGISTERED = 'dt_reg_date';

/** @param toEpochMs local time of this site → milliseconds since 1970 */
export function matchAccount(
  row: PluginRow,
  seen: Seen | undefined,
  toEpochMs: (local: string) => number | undefined,
): AccountMatch {
  const memory = seen?.memory ?? seen?.earlier;
  if (seen === undefined || memory === undefined || memory === null) return 'unknown';
  const registered = row.columns.get(REGISTERED);
  const impression = memory.get(REGISTERED);
  const novelty =
    registered === undefined
      ? 'first'
      : noveltyOf(impression, impress(REGISTERED, row.theirs.get(REGISTERED) ?? registered));
  // The account cannot have been there when the peer and we last spoke of the address.
  const isLater = (toEpochMs(registered ?? '') ?? 0) > seen.changedAtMs;
  if (seen.accountId !== null) {
    if (seen.accountId === accountIdOf(row)) return novelty === 'news' && isLater ? 'unclear' : 'same';
    return novelty === 'news' ? 'other' : 'unclear';
  }
  if (novelty === 'same' || novelty === 'stale') return 'same';
  if (novelty === 'first') return 'unknown';
  // It was only ever told a date, and may not take dates.
  return isLater && impression?.said !== true ? 'other' : 'unclear';
}

/** The id of the account at the peer, as it is compared and kept. */
export function accountIdOf(row: PluginRow): string {
  return BigInt(row.id).toString();
}

/** True if the peer, as far as we know, has the account active and enabled, so that it is in the peer's feed. */
export function isShown(memory: Memory): boolean {
  return ['b_enabled', 'b_active'].every((name) => memory.get(name)?.has === impress(name, '1'));
}
