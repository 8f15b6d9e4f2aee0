/** How problems speak of what was found. Nothing here shows a secret. */
import { isMap, isSeq, type Node } from 'yaml';

const LONGEST = 80;

const PRIVATE_KEY = /PRIVATE KEY-----/;

/** A wrong value, for the end of a message. */
export interface Found {
  readonly value: unknown;
  /** The text in the file, if the value came from elsewhere: from the environment or through an alias. */
  readonly source?: string | undefined;
  readonly secret: boolean;
  /** It is none, and what stands there by mistake may be one. */
  readonly unquoted?: boolean;
  /** True where text is expected, so that a number wants quotes. */
  readonly wantsText: boolean;
}

/** Such as `"nope"`, `99999`, `a list`, `nothing`; of a secret, and of what came from elsewhere, only the length. */
export function describeFound({ value, source, secret, unquoted = false, wantsText }: Found): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') {
    const count = `${value.length} character${value.length === 1 ? '' : 's'}`;
    if (unquoted && PRIVATE_KEY.test(value)) return 'a private key: whoever may read this knows it, so make a new pair';
    if (secret || unquoted) return count;
    return source === undefined ? quote(value) : `${count} from ${quote(source)}`;
  }
  if (typeof value === 'number') {
    const shown = secret ? 'a number' : source === undefined ? String(value) : `a number from ${quote(source)}`;
    return wantsText ? `${shown} without quotes` : shown;
  }
  if (typeof value === 'boolean') return secret ? 'a boolean' : String(value);
  return 'something else';
}

/** `a mapping` or `a list`; undefined for a scalar. */
export function describeCollection(node: Node): string | undefined {
  if (isMap(node)) return 'a mapping';
  return isSeq(node) ? 'a list' : undefined;
}

/** `https://user:password@host` → `https://***@host` */
function withoutUser(text: string): string {
  const at = text.lastIndexOf('@');
  if (at === -1) return text;
  const host = text.indexOf('://') + 3;
  return `${host >= 3 && host <= at ? text.slice(0, host) : ''}***@${text.slice(at + 1)}`;
}

/** `https://host/?key=1` → `https://host/?***` */
function withoutQuery(text: string): string {
  const scheme = text.indexOf('://');
  const query = scheme === -1 ? -1 : text.slice(scheme).search(/[?#]/);
  return query === -1 ? text : `${text.slice(0, scheme + query + 1)}***`;
}

/** In double quotes, shortened, without what a URL may hold before its host or after its path. */
function quote(text: string): string {
  const masked = withoutQuery(withoutUser(text));
  return JSON.stringify(masked.length > LONGEST ? `${masked.slice(0, LONGEST)}…` : masked);
}
