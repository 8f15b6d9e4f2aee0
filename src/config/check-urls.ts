/** Checks of URLs that go beyond their form. */
import type { Finding } from './finding.ts';
import type { Draft, RawConfig } from './schema.ts';
import { isPlainUrl, isSafeUrl } from './url.ts';

/** URLs with more than a path, and peers whose keys and users would travel in the clear. */
export function checkUrls(config: Draft<RawConfig>): Finding[] {
  const insecure = config.http?.allow_insecure_peers === true;
  const peers = (config.peers ?? []).flatMap((peer, index) => {
    if (peer?.url === undefined) return [];
    const path = `peers[${index}].url`;
    const plain = checkPlain(path, peer.url);
    return plain.length > 0 || insecure || isSafeUrl(peer.url) ? plain : [{ path, message: IN_THE_CLEAR }];
  });
  return config.site?.url === undefined ? peers : [...checkPlain('site.url', config.site.url), ...peers];
}

const IN_THE_CLEAR = 'expected https:// (http:// is for loopback only, unless http.allow_insecure_peers is true)';

function checkPlain(path: string, url: string): Finding[] {
  const message = 'expected a URL without user name, password, query and fragment';
  return isPlainUrl(url) ? [] : [{ path, message }];
}
