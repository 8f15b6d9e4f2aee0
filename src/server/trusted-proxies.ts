/** Whose word on the address of a caller counts: that of the proxies in the config, and of nobody else. */
import ipaddr from 'ipaddr.js';
import type { TrustedProxies } from '../config/config.ts';

/** Ranges that no address of the public internet is in. */
const NOT_PUBLIC: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal']);

/**
 * True if what X-Forwarded-For says stands before `address` is believed. With a list, that goes on from proxy to proxy. `true`
 * (as 0.1 had it) stands for one proxy whose address is not public; without a list nobody can tell it from others there.
 *
 * @param hop 0 is the address that the connection comes from
 */
export function isTrustedProxy(trusted: TrustedProxies, address: string, hop: number): boolean {
  if (trusted === false || !ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (trusted === true) return hop === 0 && NOT_PUBLIC.has(parsed.range());
  return trusted.some((one) => {
    const [network, bits] = one.includes('/') ? ipaddr.parseCIDR(one) : [ipaddr.process(one), undefined];
    if (network.kind() !== parsed.kind()) return false;
    return bits === undefined ? network.toString() === parsed.toString() : parsed.match(network, bits);
  });
}
