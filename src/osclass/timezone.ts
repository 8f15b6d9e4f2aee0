/** The site's time zone: Osclass writes DATETIME values in local time and says only in a preference which that is. */
import { IANAZone } from 'luxon';
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';

/** Converts `YYYY-MM-DD HH:MM:SS[.ffffff]` between a site's local time and UTC. */
export interface Zone {
  /** False if the site states no zone that exists: then nothing is converted, and local time counts as UTC. */
  readonly known: boolean;
  /** A local time that happened twice counts as the first; one that was skipped as so long after the skip began. */
  toUtc(local: string): string;
  toLocal(utc: string): string;
  /** Milliseconds since 1970; undefined for what is no time (see {@link makeZone}). */
  toEpochMs(local: string): number | undefined;
}

/** Osclass's own preference, or null: `SELECT s_value FROM t_preference WHERE s_section = 'osclass' AND s_name = 'timezone'`. */
export async function readSiteTimezone(db: Runner, catalog: Catalog): Promise<string | null> {
  const table = catalog.table('t_preference');
  if (table === undefined) return null;
  const { rows } = await sql<{ value: string | null }>`SELECT s_value AS value FROM ${id(table.name)}
    WHERE s_section = 'osclass' AND s_name = 'timezone'`.execute(db);
  const zone = (rows[0]?.value ?? '').trim();
  return zone === '' ? null : zone;
}

/**
 * The conversions of an IANA zone; null or a name that does not exist gives a zone that is not `known`. Values that are
 * no times stay as they are: zero dates, dates that do not exist, years up to 1000 and 9999 (Osclass's "never"), and
 * anything of another form. Fractions of seconds are kept.
 */
export function makeZone(name: string | null): Zone {
  const known = name !== null && IANAZone.isValidZone(name);
  const offsetAt = known ? makeOffsets(IANAZone.create(name)) : () => 0;

  /** As luxon and PHP do it: the offset before the change wins where both are possible. */
  const utcOf = (localMs: number): number => {
    const before = offsetAt(localMs - DAY_MS);
    const first = localMs - before;
    if (offsetAt(first) === before) return first;
    const second = localMs - offsetAt(first);
    return offsetAt(second) === offsetAt(first) ? second : first;
  };
  const shifted = (text: string, shift: (ms: number) => number): string => {
    const ms = known ? parse(text) : undefined;
    if (ms === undefined) return text;
    const target = shift(ms);
    return target < FIRST_MS || target > LAST_MS ? text : format(target) + text.slice(19);
  };
  return {
    known,
    toUtc: (local) => shifted(local, utcOf),
    toLocal: (utc) => shifted(utc, (ms) => ms + offsetAt(ms)),
    toEpochMs(local) {
      const ms = parse(local);
      return ms === undefined ? undefined : utcOf(ms) + fractionMs(local);
    },
  };
}

const DAY_MS = 86_400_000;
const FIRST_MS = Date.UTC(1001, 0, 1);
const LAST_MS = Date.UTC(9999, 0, 1) - 1;
const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?$/;
/** Ten thousand days are 27 years: more than a site has, and little memory. */
const DAYS_KEPT = 10_000;

/** Whole seconds, in milliseconds, as if the text were UTC; undefined for what is no time. By digits: 2× Date.parse. */
function parse(text: string): number | undefined {
  if (!TIME.test(text)) return undefined;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hour = two(text, 11);
  const minute = two(text, 14);
  const second = two(text, 17);
  if (year < 1001 || year > 9998 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59)
    return undefined;
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  // A day 0, or a 30th of February, moves into another month.
  return day > 28 || day === 0 ? (new Date(ms).getUTCDate() === day ? ms : undefined) : ms;
}

/** The number written in two digits at `at`. */
function two(text: string, at: number): number {
  return (text.codePointAt(at) as number) * 10 + (text.codePointAt(at + 1) as number) - 528;
}

function format(ms: number): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}`;
}

function fractionMs(text: string): number {
  return text.length > 20 ? Math.trunc(Number(`0${text.slice(19)}`) * 1000) : 0;
}

/**
 * The zone's offset at a UTC instant, in milliseconds. Asking the platform costs about 2 µs; a day that begins and ends
 * with one offset is asked once.
 */
function makeOffsets(zone: IANAZone): (utcMs: number) => number {
  const days = new Map<number, number | null>();
  const ask = (ms: number): number => Math.round(zone.offset(ms) * 60) * 1000;
  return (utcMs) => {
    const day = Math.floor(utcMs / DAY_MS);
    let offset = days.get(day);
    if (offset === undefined) {
      const start = ask(day * DAY_MS);
      offset = start === ask((day + 1) * DAY_MS) ? start : null;
      if (days.size >= DAYS_KEPT) days.clear();
      days.set(day, offset);
    }
    return offset ?? ask(utcMs);
  };
}
