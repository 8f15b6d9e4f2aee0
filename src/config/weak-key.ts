/** Keys that somebody made up: long enough, and still to be guessed. */

/** What `account-sync key` prints has 256. Less than this is found by whoever has a digest of the key, or years of guesses. */
const ENOUGH_BITS = 60;
/** `account-sync key` prints some 30; 20 characters of hexadecimal digits have 12 on average. */
const FEW_CHARACTERS = 8;
/** One of a thousand words of four letters and more, or one of the short ones. */
const WORD_BITS = 10;
const SHORT_WORD_BITS = 4;
const SHORT_WORD = /^(?:an?d?|api|be|by|for|in|is|it|key|my|no|not|of|on|or|our|sql|the|to|us|we|you)(?![a-z])/i;
/** Where a row of characters begins, and how far it goes; from where something is repeated. */
const ROW_BITS = 6;
const SEPARATOR_BITS = 1;
/** More than this makes no difference. */
const LOOKED_AT = 256;
/** Rows that fingers and counting follow. */
const ROWS = [
  '0123456789',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'yxcvbnm',
];
const BOTH_WAYS = ROWS.flatMap((row) => [row, row.split('').toReversed().join('')]);

/**
 * Why the key can be guessed, as the end of a sentence; undefined: no reason is known. Never quotes it. Looks for few
 * characters, words, rows and repetitions, and counts what is left: random keys of 20 characters and more have enough left.
 */
export function weaknessOf(key: string): string | undefined {
  const characters = new Set(key).size;
  if (characters < FEW_CHARACTERS) return `has only ${characters} different characters`;
  return guessBits(key) < ENOUGH_BITS ? 'is made of words, rows or repetitions' : undefined;
}

/** How many bits a guess has to get right, if who guesses knows how people make up keys. */
function guessBits(whole: string): number {
  const key = whole.slice(0, LOOKED_AT);
  const text = key.toLowerCase();
  let bits = 0;
  for (let at = 0; at < key.length;) {
    const { length, cost } = partAt(key, text, at);
    bits += cost;
    at += length;
  }
  return bits;
}

function partAt(key: string, text: string, at: number): { length: number; cost: number } {
  const row = Math.max(rowAt(text, at), repeatedAt(text, at));
  const word = wordAt(key, at);
  if (row >= 3 && row >= word) return { length: row, cost: ROW_BITS };
  if (word >= 4) return { length: word, cost: WORD_BITS };
  const [short = ''] = SHORT_WORD.exec(key.slice(at, at + 4)) ?? [];
  if (short !== '' && !/[a-z]/i.test(key.charAt(at - 1))) return { length: short.length, cost: SHORT_WORD_BITS };
  const one = key.charAt(at);
  if (/[-_.:/]/.test(one)) return { length: 1, cost: SEPARATOR_BITS };
  return { length: 1, cost: Math.log2(/\d/.test(one) ? 10 : /[a-z]/i.test(one) ? 26 : 32) };
}

/** How many characters from here on stand in a row of the alphabet, of digits or of a keyboard, or are the same. */
function rowAt(text: string, at: number): number {
  let longest = 0;
  for (const row of BOTH_WAYS) {
    const start = row.indexOf(text.charAt(at));
    if (start >= 0) longest = Math.max(longest, commonLength(text.slice(at), row.slice(start)));
  }
  return longest;
}

/** How many characters from here on have stood before. */
function repeatedAt(text: string, at: number): number {
  let longest = 0;
  for (let before = 0; before < at; before += 1) {
    longest = Math.max(longest, commonLength(text.slice(before), text.slice(at)));
  }
  return longest;
}

/** How many characters two texts begin with alike. */
function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/** Consonants that languages put together, and vowels by turns. */
const SPOKEN =
  /^(?:(?:[bcdfghjklmnpqrstvwxyz]|[bcfgkps][lr]|[dt]r|s[chkmnptw]|str|[cgpstw]h|ch|qu)?[aeiouy]{1,2}(?:ck|dg|ght|[lmnr][cdfgkmnpstvz]|ll|ss|ff|pp|tt|st|sh|ch|th|ng|[bcdfgklmnprstvwxz])?){1,8}/;

/** How many letters from here on could be a word: of one case or capitalised, and pronounceable. */
function wordAt(key: string, at: number): number {
  const letters = /^(?:[A-Z]?[a-z]{1,24}|[A-Z]{2,24})/.exec(key.slice(at, at + 24))?.[0].toLowerCase() ?? '';
  const spoken = SPOKEN.exec(letters)?.[0] ?? '';
  return spoken.length;
}
