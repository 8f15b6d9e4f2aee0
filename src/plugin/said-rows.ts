/**
 * A call of the plugin bears no time, and whoever sends one again later would put back what the account was then. But the
 * plugin never does so itself: a row that it said before comes back only after a change of which the row bears no date. Pure.
 */
import { hash } from 'node:crypto';
import type { SaidRow } from '../store/plugin-seen.ts';
import type { PluginRow } from './row.ts';

/** So many are remembered of an account, newest first. */
const MOST = 16;
const DIGEST_HEX = 12;

/** What is remembered of a row. */
export function saidRowOf({ id, email, columns, descriptions, profile }: PluginRow): SaidRow {
  const sorted = [columns, descriptions, profile].map((map) => [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { row: digestOf([id, email, sorted]), changed: digestOf(columns.get('dt_mod_date') ?? null) };
}

/**
 * True if the peer said the row before, and another one since that has another date of change: nothing of it is news. Where
 * the date is the same, an administrator may have blocked the account and let it in again, which leaves no date.
 */
export function isRepeated({ row, changed }: SaidRow, before: readonly SaidRow[]): boolean {
  const [newest] = before;
  return newest !== undefined && newest.changed !== changed && before.some((one) => one.row === row);
}

/** The rows once this was said. */
export function afterRow(row: SaidRow, before: readonly SaidRow[]): readonly SaidRow[] {
  return [row, ...before.filter((one) => one.row !== row.row)].slice(0, MOST);
}

function digestOf(value: unknown): string {
  return hash('sha256', JSON.stringify(value), 'hex').slice(0, DIGEST_HEX);
}
