/**
 * Stamps: when and where a register was last set. A hybrid logical clock (milliseconds and a counter) plus the site
 * that set it; together they order all writes everywhere.
 */

/** Name of a site as in the config: `[a-z0-9-]{1,32}`. */
export type SiteName = string;

/** A hybrid logical time and its origin. Immutable. */
export interface Stamp {
  /** Milliseconds since 1970, UTC, as seen by the database that recorded the change. */
  readonly ms: number;
  /** 0 for adoption stamps (baseline), from 1 for real changes; at most {@link MAX_COUNTER}. */
  readonly counter: number;
  readonly site: SiteName;
  /** `site.priority` of that site; smaller wins where the time is equal. */
  readonly priority: number;
}

/** The counter is stored in 16 bits. */
export const MAX_COUNTER = 0xffff;

/** Largest time a stamp can hold: 48 bits. */
export const MAX_MS = 0xffff_ffff_ffff;

/** Who stamps: our site. */
export interface Origin {
  readonly site: SiteName;
  readonly priority: number;
}

/** Negative if `a` is older than `b`, positive if it wins, 0 if they are the same stamp. A total order. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return (
    a.ms - b.ms ||
    a.counter - b.counter ||
    b.priority - a.priority ||
    (a.site === b.site ? 0 : a.site < b.site ? 1 : -1)
  );
}

/** The stamp a baseline gives: at the lowest counter, so any real change of the same time beats it. */
export function adoptionStamp(ms: number, origin: Origin): Stamp {
  return { ms: clampMs(ms), counter: 0, site: origin.site, priority: origin.priority };
}

/** True for stamps made by a baseline or a page of values nobody dated. */
export function isAdoption(stamp: Stamp): boolean {
  return stamp.counter === 0;
}

/**
 * The stamp of a change seen here: the time of its marker, or just above the stamp the register had, whichever is
 * later. It beats what this site knew of that register, and no more.
 */
export function nextStamp(markedAtMs: number, previous: Stamp | undefined, origin: Origin): Stamp {
  const ms = clampMs(markedAtMs);
  const counter = 1;
  if (previous === undefined || previous.ms < ms) return { ms, counter, ...pick(origin) };
  if (previous.counter < MAX_COUNTER) return { ms: previous.ms, counter: previous.counter + 1, ...pick(origin) };
  return { ms: previous.ms + 1, counter, ...pick(origin) };
}

/** Text form used on the wire and in logs: `MS-COUNTER-PRIORITY-SITE`. */
export function formatStamp(stamp: Stamp): string {
  return `${stamp.ms}-${stamp.counter}-${stamp.priority}-${stamp.site}`;
}

/** Pattern of the text form, for schemas. */
export const STAMP_PATTERN = '^\\d{1,15}-\\d{1,5}-\\d{1,5}-[a-z0-9-]{1,32}$';

const STAMP_TEXT = /^(\d{1,15})-(\d{1,5})-(\d{1,5})-([a-z0-9-]{1,32})$/;

/** Reads the text form; undefined if it is not one or a part is out of range. */
export function parseStamp(text: string): Stamp | undefined {
  const match = STAMP_TEXT.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]);
  const counter = Number(match[2]);
  const priority = Number(match[3]);
  if (ms > MAX_MS || counter > MAX_COUNTER || priority > MAX_COUNTER) return undefined;
  return { ms, counter, priority, site: match[4] as string };
}

function pick(origin: Origin): Origin {
  return { site: origin.site, priority: origin.priority };
}

function clampMs(ms: number): number {
  return Math.min(Math.max(Math.trunc(ms), 0), MAX_MS);
}
