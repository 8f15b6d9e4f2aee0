/**
 * Last seen: what a plugin peer has of a user, as far as we know. The plugin says OK to a row before it stored it, keeps
 * what it is not told to take, and repeats whole rows; its answers get lost. So of each column there is a value that the
 * peer has, and there are values that it may have instead. Anything else it says is a change made there. Pure.
 */
import { hash } from 'node:crypto';
import { cleanText, comparable, maskHash } from './plugin-text.ts';
import { withoutTrailing, withoutTrailingZeros } from './trim-text.ts';

/** Of one column; values as digests (see {@link impress}). */
export interface Impression {
  /** Undefined: it was told something, but never heard of. */
  readonly has?: string;
  /** What it had before it was last told, or was told without an answer: newest first. */
  readonly maybe: readonly string[];
  /** What it was told, and then had something else again: it is of no use to tell it that once more. */
  readonly refused?: string;
  /** The peer itself said that it has it; else it only said OK. */
  readonly said?: true;
  /** It may have something else by now: it was told so without an answer, or the two messages crossed. */
  readonly open?: true;
  /** What this site has instead, because it could not store what the peer has: that is older, so the peer is not told it. */
  readonly unstored?: string;
  /**
   * Only of the password: what it had before, newest first. A hash is made with new salt each time, so nobody can go back to
   * an old one by setting the same password; who says it repeats an old row.
   */
  readonly past?: readonly string[];
}

/** By column; descriptions as `user_description:LOCALE`. */
export type Memory = ReadonlyMap<string, Impression>;

/** What a value in a row of the peer comes to. */
export type Novelty =
  /** The peer never said anything of the column. */
  | 'first'
  /** As before. */
  | 'same'
  /** It may be what it had before it was told ours: nothing that was done there since. */
  | 'stale'
  | 'news';

const DIGEST_HEX = 12;
/** So many tries may get lost one after the other, each with another value. */
const MOST_MAYBE = 4;
/** More passwords than anybody has in a year. */
const MOST_PAST = 32;

/** Digest of a value and of everything the plugin may have made of it. Of a password: of what it shows when it is masked. */
export function impress(column: string, value: string | null): string {
  const plain = comparable(column === 's_password' && value !== null ? maskHash(value) : value);
  // Places of a coordinate, whatever the number of digits the column prints.
  const text = column.startsWith('d_') ? withoutTrailingZeros(plain) : plain;
  return hash('sha256', text, 'hex').slice(0, DIGEST_HEX);
}

/** Digest of a value as the peer has it once it was told: cleaned text may be longer, and is cut at the end of the column. */
export function impressTold(
  name: string,
  value: string | null,
  column: { readonly maxChars: number | null } | undefined,
): string {
  const most = column?.maxChars ?? undefined;
  const cleaned = value === null || most === undefined || name === 's_password' ? '' : cleanText(value);
  const characters = Array.from(cleaned);
  const isCut = most !== undefined && characters.length > most;
  return impress(name, isCut ? characters.slice(0, most).join('') : value);
}

/** Digest of NULL and of the empty text, which look the same in a row of the peer. */
export const BLANK = impress('', null);

/** Stands for any value of `s_secret`: which one is remembered nowhere. */
export const SOME_SECRET = impress('s_secret', 'some');

/** True if the peer has this, as far as anybody can know: it is of no use to tell it. */
export function isKnownToHave(impression: Impression | undefined, digest: string): boolean {
  return impression?.has === digest && impression.open !== true;
}

/** True if the peer is not to be told this because of what it says: it did not store it, or has something newer. */
export function isUseless(impression: Impression | undefined, digest: string): boolean {
  return impression?.refused === digest || impression?.unstored === digest;
}

/** True if the peer is known to have something there, or may have. What was never exchanged counts as nothing. */
export function mayHaveSomething(impression: Impression | undefined): boolean {
  if (impression === undefined) return false;
  const { has, maybe, open } = impression;
  const possible = has === undefined || open === true ? [has, ...maybe] : [has];
  return possible.some((digest) => digest !== undefined && digest !== BLANK);
}

/** What it means that the peer says this of a column. */
export function noveltyOf(impression: Impression | undefined, digest: string): Novelty {
  if (impression === undefined) return 'first';
  if (impression.has === digest) return 'same';
  if (impression.maybe.includes(digest) || impression.past?.includes(digest) === true) return 'stale';
  return impression.has === undefined ? 'first' : 'news';
}

/** The column after the peer said this. `refused`: of what it was told it has nothing. */
export function afterSaying(
  column: string,
  impression: Impression | undefined,
  digest: string,
  refused?: string,
): Impression {
  const still = impression?.has === digest ? impression.refused : undefined;
  const useless = refused ?? still;
  const unstored = impression?.has === digest ? impression.unstored : undefined;
  return {
    has: digest,
    maybe: [],
    said: true,
    ...(useless === undefined ? {} : { refused: useless }),
    ...(unstored === undefined ? {} : { unstored }),
    ...(column === 's_password' ? pastOf(impression, digest) : {}),
  };
}

/** A password of which nobody knows any more what the peer has; only what it had is known. */
export function withoutValue(impression: Impression): Impression {
  return { maybe: [], ...pastOf(impression, '') };
}

/** What the peer had, or may have had, before it said this. */
function pastOf(impression: Impression | undefined, digest: string): Pick<Impression, 'past'> {
  const { has, maybe = [], past = [] } = impression ?? {};
  const before = [...(has === undefined ? [] : [has]), ...maybe, ...past];
  const all = [...new Set(before)].filter((one) => one !== digest).slice(0, MOST_PAST);
  return all.length === 0 ? {} : { past: all };
}

/** The memory while the peer is being told these: whether it heard of them, nobody may ever know. */
export function beforeTelling(memory: Memory | undefined, told: ReadonlyMap<string, string>): Memory {
  return changed(memory, told, (before, digest) => {
    if (before?.has === digest) return before;
    return { ...before, maybe: newest([digest, ...(before?.maybe ?? [])]), open: true };
  });
}

/** The memory after the peer said OK to these. */
export function afterTelling(memory: Memory | undefined, told: ReadonlyMap<string, string>): Memory {
  return changed(memory, told, (before, digest) => {
    const { has, maybe = [], refused, said, past } = before ?? {};
    const earlier = past === undefined ? {} : { past };
    // Of another value nobody knows yet whether it is of use.
    const useless = refused === digest ? { refused } : {};
    if (has === digest) return { has, maybe, ...useless, ...(said ? { said } : {}), ...earlier };
    const older = [...(has === undefined ? [] : [has]), ...maybe];
    return { has: digest, maybe: newest(older.filter((one) => one !== digest)), ...useless, ...earlier };
  });
}

/**
 * The memory after the peer said OK to these, where it may have said something meanwhile: of that nobody knows whether it
 * is from before or after.
 *
 * @param before as it was when the peer was told
 * @param now as it is
 */
export function afterAnswer(before: Memory, now: Memory, told: ReadonlyMap<string, string>): Memory {
  const after = new Map(now);
  for (const [column, impression] of afterTelling(before, told)) {
    if (!told.has(column)) continue;
    const [then, since] = [before.get(column), now.get(column)];
    const isSame = since === undefined || (then !== undefined && pack(then) === pack(since));
    after.set(column, isSame ? impression : { ...since, open: true });
  }
  return after;
}

/** Text for the database: `{"s_name":"HAS/MAYBE,MAYBE/REFUSED/SAID/OPEN/UNSTORED/PAST,PAST"}`, without slashes at the end. */
export function packMemory(memory: Memory): string {
  return JSON.stringify(Object.fromEntries([...memory].map(([column, impression]) => [column, pack(impression)])));
}

/** Reads what {@link packMemory} wrote. */
export function unpackMemory(text: string): Memory {
  const entries = Object.entries(JSON.parse(text) as Record<string, string>);
  return new Map(
    entries.map(([column, packed]) => {
      const [has = '', maybe = '', refused = '', said = '', open = '', unstored = '', past = ''] = packed.split('/');
      return [
        column,
        {
          ...(has === '' ? {} : { has }),
          maybe: maybe === '' ? [] : maybe.split(','),
          ...(refused === '' ? {} : { refused }),
          ...(said === '' ? {} : { said: true as const }),
          ...(open === '' ? {} : { open: true as const }),
          ...(unstored === '' ? {} : { unstored }),
          ...(past === '' ? {} : { past: past.split(',') }),
        },
      ];
    }),
  );
}

function pack({ has = '', maybe, refused = '', said, open, unstored = '', past = [] }: Impression): string {
  const flags = [said, open].map((flag) => (flag === true ? '1' : ''));
  return withoutTrailing([has, maybe.join(','), refused, ...flags, unstored, past.join(',')].join('/'), '/');
}

function newest(digests: readonly string[]): string[] {
  return [...new Set(digests)].slice(0, MOST_MAYBE);
}

function changed(
  memory: Memory | undefined,
  digests: ReadonlyMap<string, string>,
  change: (before: Impression | undefined, digest: string) => Impression,
): Memory {
  const after = new Map(memory);
  for (const [column, digest] of digests) after.set(column, change(after.get(column), digest));
  return after;
}
