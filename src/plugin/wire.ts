/** The PHP plugin's answers and encodings, byte for byte. Pure. */
import type { FormMap, FormValue } from './form.ts';
import { cleanText, maskHash } from '../model/plugin-text.ts';

/** What the plugin answers. `data` is a list, always: its client fails on anything else. */
export interface PluginBody {
  readonly status: 'OK' | 'ERR';
  readonly message: string;
  readonly data: readonly unknown[];
}

/** Words of the plugin that administrators know. Ours never depend on them, but for {@link isAlreadyGone}. */
export const WORDS = {
  incomplete: 'Streamed user record invalid, pk_i_id or s_email is missing',
  notFound: 'User record invalid, user has not been found (it might not exists on this domain or was already removed)',
  received: (id: string, email: string, name: string) =>
    `Streamed user data received successfully (#${id}, ${email}, ${name})`,
  removed: (id: number, email: string, name: string) =>
    `User data removal received successfully (#${id}, ${email}, ${name})`,
} as const;

/** True for the answer to a removal of a user that is not there: nothing is left to do. */
export function isAlreadyGone(message: string): boolean {
  return /not been found/i.test(message);
}

/** JSON as PHP writes it: ASCII only, slashes escaped. */
export function toPhpJson(body: { status: string; message: string; data: readonly unknown[] }): string {
  return JSON.stringify(body)
    .replaceAll('/', '\\/')
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The received values as the plugin repeats them: cleaned, without their names, the password masked. */
export function echoOf(row: FormMap): unknown[] {
  return Object.entries(row).map(([name, value]) =>
    name === 's_password' && typeof value === 'string' ? maskHash(value) : cleaned(value),
  );
}

/** True for whatever {@link maskHash} makes of a text, however short that was. */
export function isMasked(text: string): boolean {
  return /^.{0,10}\*{10}.{0,10}\.{3}$/.test(text);
}

/** True for a hash as {@link maskHash} shows it. */
export function isMaskedHash(text: string): boolean {
  return /^.{10}\*{10}.{10}\.{3}$/.test(text);
}

/** Encodes form fields as PHP's http_build_query does: blanks as `+`, nothing else left as it is but letters, digits, `-_.`. */
export function encodeForm(fields: readonly (readonly [name: string, value: string])[]): string {
  return fields.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

function cleaned(value: FormValue): unknown {
  if (typeof value === 'string') return cleanText(value);
  const entries = Object.entries(value);
  const isList = entries.every(([name], index) => name === String(index));
  if (isList) return entries.map(([, one]) => cleaned(one));
  return Object.fromEntries(entries.map(([name, one]) => [name, cleaned(one)]));
}
