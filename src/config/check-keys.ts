/** Checks of names and keys, which must tell all sites and people apart. */
import type { Finding } from './finding.ts';
import { ADMIN } from './config.ts';
import type { Draft, RawConfig } from './schema.ts';

/** Names that are given twice, and names of peers that are our own. */
export function checkNames(config: Draft<RawConfig>): Finding[] {
  return [...checkPeerNames(config), ...checkTokenNames(config)];
}

/** Log records say who did what by these names. */
function checkTokenNames(config: Draft<RawConfig>): Finding[] {
  const first = new Map([[ADMIN, 'http.admin_token, which goes by that name']]);
  return (config.http?.admin_tokens ?? []).flatMap((one, index) =>
    repeated(first, one?.name, `http.admin_tokens[${index}].name`, 'each token has a name of its own'),
  );
}

function checkPeerNames(config: Draft<RawConfig>): Finding[] {
  const first = new Map<string, string>();
  if (config.site?.name !== undefined) first.set(config.site.name, 'site.name');
  return (config.peers ?? []).flatMap((peer, index) => {
    const path = `peers[${index}].name`;
    return repeated(first, peer?.name, path, 'each site has a name of its own');
  });
}

/**
 * Keys that are used twice: two peers could not be told apart, a peer could pass as us, and with an admin token that is
 * a key of a site every other site, which knows that key, could use the admin routes.
 */
export function checkKeys(config: Draft<RawConfig>): Finding[] {
  const first = new Map<string, string>();
  if (config.site?.api_key !== undefined) first.set(config.site.api_key, 'site.api_key');
  const advice = 'each site and person has a key of its own';
  const token = repeated(first, config.http?.admin_token, 'http.admin_token', advice);
  const tokens = (config.http?.admin_tokens ?? []).flatMap((one, index) =>
    repeated(first, one?.token, `http.admin_tokens[${index}].token`, advice),
  );
  const keys = (config.peers ?? []).flatMap((peer, index) => {
    const path = `peers[${index}].api_key`;
    const key = peer?.api_key;
    if (typeof key === 'string' || key === undefined) return repeated(first, key, path, advice);
    const own = new Set<string | undefined>(); // a key twice in one list was reported when the list was read
    return key.flatMap((one, at) => {
      if (own.has(one)) return [];
      own.add(one);
      return repeated(first, one, `${path}[${at}]`, advice);
    });
  });
  return [...token, ...tokens, ...keys];
}

/** Reports a value that was seen before, else remembers where it is. */
function repeated(first: Map<string, string>, value: string | undefined, path: string, advice: string): Finding[] {
  if (value === undefined) return [];
  const before = first.get(value);
  if (before !== undefined) return [{ path, message: `the same as ${before}: ${advice}` }];
  first.set(value, path);
  return [];
}
