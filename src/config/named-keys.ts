/** All keys of a config by the names that people know them by, and what is wrong with them. */
import type { Config } from './config.ts';
import { weaknessOf } from './weak-key.ts';

/** `[name, key]` of what identifies us, peers and administrators. */
export function namedKeys({ site, http, peers }: Pick<Config, 'site' | 'http' | 'peers'>): [string, string][] {
  return [
    ['site.api_key', site.apiKey],
    ...(http.adminToken === null ? [] : [['http.admin_token', http.adminToken] satisfies [string, string]]),
    ...http.adminTokens.map(({ name, token }): [string, string] => [`http.admin_tokens of ${name}`, token]),
    ...peers.flatMap(({ name, apiKeys }) => apiKeys.map((key): [string, string] => [`api_key of ${name}`, key])),
    ...peers.flatMap(({ name, sendKey }): [string, string][] =>
      sendKey === site.apiKey ? [] : [[`send_key of ${name}`, sendKey]],
    ),
  ];
}

/** A sentence for each key that can be guessed; none quotes it. */
export function weakKeys(config: Pick<Config, 'site' | 'http' | 'peers'>): string[] {
  return namedKeys(config).flatMap(([name, key]) => {
    const weakness = weaknessOf(key);
    return weakness === undefined ? [] : [`${name} ${weakness}`];
  });
}

/** What to do about a weak key. */
export const NEW_KEY = '"account-sync key" prints a good one; peers need the new one too.';
