/**
 * What the PHP plugin makes of text. It cleans streamed text as HTML, its columns lose characters beyond U+FFFF, and text
 * that looks like a number comes back rewritten. Pure.
 */
import { decodeHTMLStrict } from 'entities';
import { withoutMarkup } from './markup.ts';
import { withoutLeadingZeros } from './trim-text.ts';

/**
 * Text as a stream leaves it at the plugin: tags gone (scripts and styles with what is in them), entities decoded,
 * `& < >` encoded, line ends as LF, no control characters.
 */
export function cleanText(text: string): string {
  return plainText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/**
 * One form for a value and everything the plugin may have made of it: two values are the same to us if these are equal.
 * NULL cannot be said in its protocol, so it equals nothing at all.
 */
export function comparable(value: string | null): string {
  if (value === null) return '';
  return asNumber(plainText(value).replaceAll(/[\u{10000}-\u{10ffff}?]+/gu, '?'));
}

/** Characters 1–10, ten asterisks, characters 21–30, three dots: how the plugin shows a hash. */
export function maskHash(hash: string): string {
  return `${hash.slice(0, 10)}**********${hash.slice(20, 30)}...`;
}

/** True for text that overflows when the plugin takes it for a number: its database refuses the whole row. */
export function isOverflowing(text: string): boolean {
  return NUMBER.test(text) && !Number.isFinite(Number(text));
}

/**
 * What PHP takes for a number. One that is longer than a digit and begins with 0 stays text; every other goes into the SQL
 * without quotes, and the database writes it in its own way: without sign, blanks, exponent, and zeros in front.
 */
const NUMBER = /^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?\s*$/i;

function plainText(text: string): string {
  const lines = text
    .replaceAll(/\r\n?/g, '\n')
    // oxlint-disable-next-line no-control-regex -- those are what is taken out
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]/g, '');
  return decodeHTMLStrict(withoutMarkup(lines));
}

function asNumber(text: string): string {
  if (!NUMBER.test(text) || (text.length > 1 && text.startsWith('0'))) return text;
  const number = text.trim().replace(/^\+/, '');
  if (!/e/i.test(number))
    return withoutLeadingZeros(number)
      .replace(/^(-?)\./, '$10.')
      .replace(/\.$/, '');
  const value = Number(number);
  return Number.isFinite(value)
    ? value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 20 })
    : number;
}
