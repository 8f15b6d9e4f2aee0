/** What a new user's row needs beyond what the peer sent. */
import type { Column, Table } from '../db/catalog.ts';
import { NO_PASSWORD } from '../model/password-hash.ts';
import type { Value } from '../model/register.ts';
import type { ColumnWrites } from './write-users.ts';

/** A source of secrets: that many random bytes. `node:crypto`'s `randomBytes` fits. */
export type RandomBytes = (size: number) => Uint8Array;

/**
 * The writes of a new user, completed: a secret of our own (40 hex digits: it activates accounts and logs browsers in,
 * so no two users share one), a password that fits nobody if none was sent, and something harmless for every other
 * column that must have a value and has no default, but for those of the primary key. `nowMs`: a registration date that was not sent.
 */
export function newUserDefaults(
  table: Table,
  writes: ColumnWrites,
  randomBytes: RandomBytes,
  nowMs: number = Date.now(),
): Map<Column, Value | number> {
  const all = new Map(writes);
  const given = new Set([...writes.keys()].map((column) => column.name));
  for (const column of table.columns.values()) {
    if (given.has(column.name) || column.generated || column.autoIncrement) continue;
    // What identifies a row is never made up: the next one would have the same.
    if (column.keyKind === 'PRI') continue;
    if (column.name === 's_secret') all.set(column, fitting(column, secretOf(randomBytes)));
    else if (column.name === 's_password') all.set(column, fitting(column, NO_PASSWORD));
    else if (!column.optional) all.set(column, plainValue(column, nowMs));
  }
  return all;
}

/** A fresh secret for an account: whoever was logged in or mailed a link by the old one is so no more. */
export function newSecret(table: Table, randomBytes: RandomBytes): [Column, Value][] {
  const column = table.column('s_secret');
  return column === undefined ? [] : [[column, fitting(column, secretOf(randomBytes))]];
}

/** No link that was mailed for a new password or address opens anything any more. */
export function withoutMailedCode(table: Table): [Column, Value][] {
  return ['s_pass_code', 's_pass_date'].flatMap((name): [Column, Value][] => {
    const column = table.column(name);
    return column?.nullable === true ? [[column, null]] : [];
  });
}

function secretOf(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(20)).toString('hex');
}

/**
 * A value that a column without default takes in strict mode, by its type: no text, 0, the present for dates (UTC), the
 * first choice of an enumeration, bytes of 0.
 */
function plainValue(column: Column, nowMs: number): Value {
  const now = new Date(nowMs).toISOString();
  switch (column.type) {
    case 'date':
      return now.slice(0, 10);
    case 'datetime':
    case 'timestamp':
      return `${now.slice(0, 10)} ${now.slice(11, 19)}`;
    case 'time':
      return '00:00:00';
    case 'year':
      return now.slice(0, 4);
    case 'enum':
      return /'((?:[^']|'')*)'/.exec(column.columnType)?.[1]?.replaceAll("''", "'") ?? '';
    case 'json':
      return '{}';
    case 'longtext':
      // What MariaDB makes of JSON, with a check that the text is some.
      return column.collation === 'utf8mb4_bin' ? '{}' : '';
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000';
    case 'inet4':
      return '0.0.0.0';
    case 'inet6':
      return '::';
    case 'binary':
    case 'bit':
      return { hex: '00'.repeat(column.type === 'bit' ? 1 : (column.maxBytes ?? 1)) };
    default:
      return isNumber(column) ? '0' : isBytes(column) ? { hex: '' } : '';
  }
}

function isNumber(column: Column): boolean {
  return column.precision !== null || /^(?:tiny|small|medium|big)?int$|^(?:decimal|float|double)$/.test(column.type);
}

function isBytes(column: Column): boolean {
  return /blob$|^varbinary$/.test(column.type);
}

function fitting(column: Column, text: string): string {
  return column.maxChars === null ? text : text.slice(0, column.maxChars);
}
