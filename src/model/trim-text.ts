/**
 * Ends of texts taken off in one pass. A regular expression that is bound to the end of a text (`/0+$/`) starts anew at
 * every character, so a text of zeros takes the square of its length. Pure.
 */

/** The text without any of `character` at its end. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}

/** The text without any of `character` at its start. */
export function withoutLeading(text: string, character: string): string {
  let start = 0;
  while (start < text.length && text[start] === character) start += 1;
  return text.slice(start);
}

/** The text without any of `character` at either end. */
export function withoutOuter(text: string, character: string): string {
  return withoutLeading(withoutTrailing(text, character), character);
}

/** `007` → `7`, `-0012.5` → `-12.5`, `00.5` → `0.5`; a number has a digit before its point. */
export function withoutLeadingZeros(number: string): string {
  const sign = number.startsWith('-') ? '-' : '';
  const digits = number.slice(sign.length);
  const short = withoutLeading(digits, '0');
  const isEnough = short.length === digits.length || /^\d/.test(short);
  return `${sign}${isEnough ? short : `0${short}`}`;
}

/** `12.500` → `12.5`, `12.000` → `12`; a text without a point stays as it is. */
export function withoutTrailingZeros(text: string): string {
  if (!text.includes('.') || !text.endsWith('0')) return text;
  const short = withoutTrailing(text, '0');
  return short.endsWith('.') ? short.slice(0, -1) : short;
}
