/** Whether a value fits a column, so that what cannot be stored is known before a statement fails for it. */
import type { Column } from '../db/catalog.ts';
import type { Value } from '../model/register.ts';
import { countCharacters } from '../model/count-characters.ts';
import { withoutLeading } from '../model/trim-text.ts';
import { holdsBytes } from './column-values.ts';

const TEXT = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);
const INTEGER_BITS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 64 };
/** Character sets without characters beyond U+FFFF. */
const THREE_BYTE = new Set(['utf8', 'utf8mb3', 'ucs2']);

/**
 * Why `column` cannot hold `value`, in words that follow the column's name and do not show the value; undefined if it
 * can, as far as one can tell from here. Strict mode on the server tells the rest.
 */
export function whyUnstorable(column: Column, value: Value): string | undefined {
  if (value === null) return column.nullable ? undefined : 'may not be NULL here';
  if (typeof value !== 'string') {
    if (!holdsBytes(column)) return 'holds no binary data here';
    const bytes = value.hex.length / 2;
    if (column.type === 'bit') return whyNoBits(value.hex, column.precision ?? 64);
    const most = column.maxBytes;
    return most !== null && bytes > most ? `holds ${most} bytes here, not ${bytes}` : undefined;
  }
  if (holdsBytes(column)) return 'holds binary data here';
  if (TEXT.has(column.type)) return whyNoText(column, value);
  const bits = INTEGER_BITS[column.type];
  if (bits !== undefined) return whyNoInteger(value, bits, column.unsigned);
  if (column.type === 'decimal') return whyNoDecimal(column, value);
  if (column.type === 'datetime' || column.type === 'date' || column.type === 'timestamp') return whyNoDate(value);
  if (column.type === 'enum' || column.type === 'set') return whyNotListed(column, value);
  return undefined;
}

/** True if what is stored is what was sent, to the last character. */
export function isSameValue(sent: Value, stored: Value): boolean {
  if (sent === null || stored === null || typeof sent === 'string' || typeof stored === 'string')
    return sent === stored;
  return sent.hex === stored.hex;
}

function whyNoText(column: Column, value: string): string | undefined {
  // No text has more characters than code units, nor more bytes than three of each: most need no count.
  if (column.maxChars !== null && value.length > column.maxChars && column.type.endsWith('char')) {
    const length = countCharacters(value);
    if (length > column.maxChars) return `holds ${column.maxChars} characters here, not ${length}`;
  }
  if (column.maxBytes !== null && 3 * value.length > column.maxBytes && column.type.endsWith('text')) {
    const bytes = Buffer.byteLength(value);
    if (bytes > column.maxBytes) return `holds ${column.maxBytes} bytes here, not ${bytes}`;
  }
  if (column.charset !== null && THREE_BYTE.has(column.charset) && /[\u{10000}-\u{10ffff}]/u.test(value)) {
    return `holds no characters outside ${column.charset} here`;
  }
  if (column.charset === 'ascii' && /[\u0080-\uffff]/.test(value)) return 'holds only ASCII here';
  return undefined;
}

function whyNoBits(hex: string, most: number): string | undefined {
  const digits = withoutLeading(hex, '0');
  const bits = digits === '' ? 0 : 4 * (digits.length - 1) + Number.parseInt(digits[0] ?? '', 16).toString(2).length;
  return bits > most ? `holds ${most} bits here, not ${bits}` : undefined;
}

function whyNoInteger(value: string, bits: number, unsigned: boolean): string | undefined {
  // What most columns of numbers hold: every type holds it.
  if (value === '0' || value === '1') return undefined;
  if (!/^-?\d{1,20}$/.test(value)) return 'holds whole numbers here';
  const number = BigInt(value);
  const low = unsigned ? 0n : -(1n << BigInt(bits - 1));
  const high = unsigned ? (1n << BigInt(bits)) - 1n : (1n << BigInt(bits - 1)) - 1n;
  return number < low || number > high ? `holds ${low} to ${high} here` : undefined;
}

function whyNoDecimal(column: Column, value: string): string | undefined {
  const match = /^-?(\d*)(?:\.\d*)?$/.exec(value);
  if (match === null || value === '' || value === '-') return 'holds decimal numbers here';
  const whole = (column.precision ?? 10) - (column.scale ?? 0);
  const digits = withoutLeading(match[1] as string, '0').length;
  return digits > whole ? `holds ${whole} digits before the point here, not ${digits}` : undefined;
}

function whyNoDate(value: string): string | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,6})?)?$/.exec(value);
  if (match === null) return 'holds dates here';
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const days = month === 0 ? 31 : new Date(Date.UTC(year === 0 ? 2000 : year, month, 0)).getUTCDate();
  if (month > 12 || day > days || hour > 23 || minute > 59 || second > 59) return 'holds real dates here';
  return undefined;
}

function whyNotListed(column: Column, value: string): string | undefined {
  const listed = [...column.columnType.matchAll(/'((?:[^']|'')*)'/g)].map((match) =>
    (match[1] ?? '').replaceAll("''", "'"),
  );
  // Nothing that is listed is longer than the list.
  if (value.length > column.columnType.length) return 'holds only listed values here';
  const parts = column.type === 'set' ? (value === '' ? [] : value.split(',')) : [value];
  return parts.every((part) => listed.includes(part)) ? undefined : `holds only listed values here`;
}
