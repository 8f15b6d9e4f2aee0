/**
 * Forms as the PHP plugin sends them: nested fields in brackets, decoded under limits. What a parser would have to guess
 * about (a field given twice, or as text and as a map) is refused, for guessing is where two readers come to differ.
 */
import qs from 'qs';

/** A field of a form: text, or a map of further fields. Maps have no prototype. */
export type FormValue = string | FormMap;
export interface FormMap {
  readonly [name: string]: FormValue;
}

/** A decoded form, or why it is none, in words that do not show what was sent. */
export type FormReading =
  { readonly kind: 'form'; readonly fields: FormMap } | { readonly kind: 'refused'; readonly why: string };

/** A row has about 40 columns and three fields for each language. */
const MAX_FIELDS = 1000;
const MAX_NAME_LENGTH = 200;
/** `ascData[user_description][0][s_info]`. */
const MAX_DEPTH = 3;

const NAME = /^[^[\]]+(?:\[[^[\]]+\])*$/;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes a query string or a form body. Every byte must be UTF-8, plain or percent-encoded. */
export function readForm(form: string | Uint8Array): FormReading {
  try {
    const text = typeof form === 'string' ? form : UTF8.decode(form);
    const why = whyRefused(text);
    return why === undefined ? { kind: 'form', fields: parse(text) } : { kind: 'refused', why };
  } catch {
    // TextDecoder, decodeURIComponent and the limits of qs throw; none of their words are for the sender.
    return { kind: 'refused', why: 'it is not valid UTF-8, not well encoded, or nested too deeply' };
  }
}

/**
 * The last value of a plain field, found without decoding anything else, so that a caller is known before its data is
 * looked at. Undefined if there is none; text that is no UTF-8 comes with U+FFFD and equals no key.
 */
export function rawField(form: string | Uint8Array, name: string): string | undefined {
  const text = typeof form === 'string' ? form : Buffer.from(form).toString('latin1');
  const start = `&${text}`.lastIndexOf(`&${name}=`);
  if (start === -1) return undefined;
  const from = start + name.length + 1;
  const end = text.indexOf('&', from);
  const value = text.slice(from, end === -1 ? undefined : end);
  return new URLSearchParams(`v=${value}`).get('v') ?? undefined;
}

function whyRefused(text: string): string | undefined {
  const parts = text.split('&', MAX_FIELDS + 1);
  if (parts.length > MAX_FIELDS) return `it has more than ${MAX_FIELDS} fields`;
  const names = new Set<string>();
  for (const part of parts) {
    if (part === '') continue;
    const name = decode(part.split('=', 1)[0] ?? '');
    if (name.length > MAX_NAME_LENGTH || !NAME.test(name)) return 'a field has no proper name';
    if (names.has(name)) return 'a field is given twice';
    names.add(name);
  }
  for (const name of names) {
    for (let at = name.indexOf('['); at !== -1; at = name.indexOf('[', at + 1)) {
      if (names.has(name.slice(0, at))) return 'a field is both text and a map';
    }
  }
  return undefined;
}

function parse(text: string): FormMap {
  return qs.parse(text, {
    depth: MAX_DEPTH,
    strictDepth: true,
    parameterLimit: MAX_FIELDS,
    throwOnLimitExceeded: true,
    parseArrays: false,
    plainObjects: true,
    decoder: decode,
  }) as FormMap;
}

function decode(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '));
}
