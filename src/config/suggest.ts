/** Keys that nobody knows: what was probably meant, and how they are shown. */
import { closest, distance } from 'fastest-levenshtein';

/** Says that a key is unknown, with the nearest known one. */
export function unknownKey(wrong: string, known: readonly string[]): string {
  const name = nearest(wrong, known);
  return isNear(wrong, name)
    ? `unknown key, did you mean "${name}"?`
    : `unknown key (the nearest known one is "${name}")`;
}

/** The known name that was probably meant; undefined: none is like it. */
export function meantBy(wrong: string, known: readonly string[]): string | undefined {
  const name = known.length === 0 ? undefined : nearest(wrong, known);
  return name !== undefined && isNear(wrong, name) ? name : undefined;
}

/**
 * A key as it may be shown. With a quote or a blank missing, a secret can end up where a key is expected; what is as
 * long as a secret and not made of words, or has no form of a key, is shown only if it is like a known one.
 */
export function shownKey(key: string, known: readonly string[]): string {
  if (/^[\w$<-]{1,19}$/.test(key) || /^[a-z]+(?:[_-](?:[a-z]+|\d+))*$/.test(key)) return key;
  return isNear(key, nearest(key, known)) ? key : '…';
}

function nearest(wrong: string, known: readonly string[]): string {
  return closest(wrong.toLowerCase(), known);
}

function isNear(wrong: string, name: string): boolean {
  return distance(wrong.toLowerCase(), name) <= Math.max(2, Math.floor(name.length / 2));
}
