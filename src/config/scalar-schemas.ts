/**
 * Makers of the leaves of the config's description. Each leaf says in `expected` what a problem's message says, so the
 * words for people stand beside the rule they explain.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { IANAZone } from 'luxon';
import { Type } from 'typebox';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { isSchedule } from './schedule-expression.ts';
import { parseSize, SIZE_PATTERN } from './size.ts';
import { isHttpUrl, URL_PATTERN } from './url.ts';
import { parsePublicKey, parseSigningKey } from '../model/signing-key.ts';

/** What every leaf is documented with. Without `default` and `optional` a key is required. */
export interface Doc<T> {
  readonly description: string;
  readonly default?: T;
  /** Shown in config.example.yaml where there is no default. */
  readonly examples?: readonly T[];
}

interface TextDoc extends Doc<string> {
  /** Completes the sentence "expected …". */
  readonly expected: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  /** Never shown, and may be read from a file: implies a `_file` twin. */
  readonly secret?: true;
}

/** Text that a pattern or a length describes. */
export function text(doc: TextDoc) {
  return Type.String({ ...doc });
}

/** One word of several. */
export function choice<const T extends string>(words: readonly T[], doc: Doc<NoInfer<T>>) {
  return Type.Enum([...words], { ...doc, expected: `one of ${words.join(', ')}` });
}

/** `true` or `false`. */
export function flag(doc: Doc<boolean>) {
  return Type.Boolean({ ...doc, expected: 'true or false' });
}

/** A whole number, both ends included. */
export function whole(minimum: number, maximum: number, doc: Doc<number>) {
  return Type.Integer({ ...doc, minimum, maximum, expected: `a whole number from ${minimum} to ${maximum}` });
}

/** What a site, and a peer, may be called. */
export const SITE_NAME = {
  expected: 'a name of 1 to 32 characters of a-z, 0-9 and -',
  pattern: '^[a-z0-9-]{1,32}$',
} as const;

/** A name of a site or peer: goes into stamps, paths and logs. */
export function siteName(doc: Doc<string>) {
  return Type.String({ ...doc, expected: SITE_NAME.expected, pattern: SITE_NAME.pattern });
}

/** An http(s) URL. */
export function url(doc: Doc<string>) {
  return Type.Refine(Type.String({ ...doc, expected: 'an http(s) URL', pattern: URL_PATTERN }), isHttpUrl);
}

/** A duration above zero, of at most 100 years. */
export function duration(doc: Doc<string>) {
  const expected = 'a duration above zero such as 500ms, 5s, 10m, 6h or 30d';
  return Type.Refine(Type.String({ ...doc, expected, pattern: DURATION_PATTERN }), (value) => {
    const ms = parseDuration(value);
    return ms !== undefined && ms > 0 && ms <= 36_500 * 86_400_000;
  });
}

/** A size from 1 KiB to 1 GiB. */
export function size(doc: Doc<string>) {
  const expected = 'a size from 1KiB to 1GiB such as 64KiB or 8MiB';
  return Type.Refine(Type.String({ ...doc, expected, pattern: SIZE_PATTERN }), (value) => {
    const bytes = parseSize(value);
    return bytes !== undefined && bytes >= 1024 && bytes <= 1024 ** 3;
  });
}

/** What is expected of a key or token. */
export const KEY_EXPECTED = 'at least 20 visible ASCII characters without blanks';

/** A key or token: travels in an HTTP header, so nothing but visible ASCII. */
export function key(doc: Doc<string>) {
  return Type.String({ ...doc, expected: KEY_EXPECTED, pattern: '^[!-~]{20,}$', secret: true });
}

/** What is expected of a list of proxies. */
export const NETWORKS = 'false, or a list of addresses and networks such as [127.0.0.1, 10.1.0.0/16]';

/** An IP address, or a network as `10.1.0.0/16`. */
export function network() {
  const expected = 'an IP address, or a network such as 10.1.0.0/16';
  return Type.Refine(Type.String({ expected, pattern: '^[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?$' }), (value) =>
    value.includes('/') ? ipaddr.isValidCIDR(value) : isIP(value) !== 0,
  );
}

/** What is expected of a public key. */
export const PUBLIC_KEY_EXPECTED = 'an Ed25519 public key: PEM, or its 32 bytes in base64';

/** A public key of Ed25519. */
export function publicKey(doc: Doc<string>) {
  const leaf = Type.String({ ...doc, expected: PUBLIC_KEY_EXPECTED, unquoted: true });
  return Type.Refine(leaf, (value) => parsePublicKey(value) !== undefined);
}

/** A private key of Ed25519. */
export function signingKey(doc: Doc<string>) {
  const expected = 'an Ed25519 private key: PEM (PKCS8), or its 32 bytes in base64';
  const leaf = Type.String({ ...doc, expected, secret: true, shown: true });
  return Type.Refine(leaf, (value) => parseSigningKey(value) !== undefined);
}

/** A node-schedule expression of six fields. */
export function schedule(doc: Doc<string>) {
  const expected = 'a schedule of six fields, seconds first, such as "*/5 * * * * *"';
  return Type.Refine(Type.String({ ...doc, expected, pattern: '^\\S+(?: +\\S+){5}$' }), isSchedule);
}

/** A name of the IANA time zone database; offsets such as `+02:00` know no summer time and are refused. */
export function timeZone(doc: Doc<string>) {
  const expected = 'an IANA time zone such as Europe/Berlin';
  const leaf = Type.String({ ...doc, expected, pattern: '^[A-Za-z][A-Za-z0-9_+/-]*$' });
  return Type.Refine(leaf, (value) => IANAZone.isValidZone(value));
}

/** The name of a column, table or register group as MySQL takes it without quotes. */
export function identifier(doc: Doc<string> & { expected?: string }) {
  return Type.String({
    expected: 'a name of 1 to 64 characters of A-Z, a-z, 0-9, _ and $',
    ...doc,
    pattern: IDENTIFIER,
  });
}

const IDENTIFIER = '^[A-Za-z0-9_$]{1,64}$';

/** What is exchanged with a peer: `default`, `all`, or a list of names. */
export function columnList(doc: Doc<'default' | 'all' | string[]>) {
  const expected = 'default, all, or a list of column names';
  const name = identifier({ description: 'A column of t_user, user_description, or a related group' });
  const words = Type.Enum(['default', 'all'], { expected });
  return Type.Union([words, Type.Array(name, { uniqueItems: true, expected })], { ...doc, expected });
}
