/** Addresses of sites and peers. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What such a URL starts with; a JSON schema pattern as well. */
export const URL_PATTERN = '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s]+$';

const SHAPE = new RegExp(URL_PATTERN);

/** True for an absolute http or https URL. */
export function isHttpUrl(text: string): boolean {
  return SHAPE.test(text) && URL.canParse(text);
}

/** True if nothing but scheme, host, port and path is in it: routes are added at its end, and a URL holds no secret. */
export function isPlainUrl(text: string): boolean {
  const url = new URL(text);
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}

/** True for https, and for http to this very machine, where nobody can listen. */
export function isSafeUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || isLoopback(hostname);
}

/**
 * True for the host of a URL, or of a setting, that is this machine whatever a name server says: `localhost`, which the system
 * resolves by itself, and addresses of 127.0.0.0/8 and ::1, as IPv4 in IPv6 too. Not names below it, such as `x.localhost`:
 * RFC 6761 wants resolvers to answer them so, but Node asks that of the system, and many systems ask a server. Nor
 * 0.0.0.0, which is whoever answers. A URL has brought other spellings of IPv4 (0x7f.1, 2130706433) into the usual one.
 */
export function isLoopback(host: string): boolean {
  const address = host.replace('[', '').replace(']', '').toLowerCase();
  if (address === 'localhost') return true;
  if (isIPv4(address)) return LOOPBACK.check(address, 'ipv4');
  return isIPv6(address) && LOOPBACK.check(address, 'ipv6');
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** The URL in its usual form, with a path that ends in `/`. */
export function normalizeUrl(text: string): string {
  const url = new URL(text);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url.href;
}
