/**
 * Characters that do something instead of being seen: control characters (C0 but line ends and tabs, DEL, C1, of which U+009B
 * begins a sequence as ESC [ does), line and paragraph separators, and what turns the direction of text. What peers and rows say
 * may hold them; written to a terminal it could hide or forge what stands there. Pure.
 */

/** As `\u001b`: in JSON it still means the character, elsewhere it is seen. */
function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The text with each of them escaped. Line feeds stay, also after a carriage return, and tabs. Done twice it changes nothing. */
export function escapeControls(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- those are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (sign, at: number) => (sign === '\r' && text[at + 1] === '\n' ? sign : escaped(sign)),
  );
}

/** The same, and line ends and tabs too: what is on one line stays there. */
export function escapeOnOneLine(text: string): string {
  return escapeControls(text.replaceAll(/[\r\n\t]/g, escaped));
}

/** A copy of a document with all its texts so; of JSON, so that there is no cycle in it. */
export function escapeControlsIn<T>(value: T): T {
  if (typeof value === 'string') return escapeControls(value) as T;
  if (Array.isArray(value)) return value.map(escapeControlsIn) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, escapeControlsIn(item)])) as T;
}
