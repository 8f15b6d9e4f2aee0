/** What must hold between keys, and what their own descriptions cannot say. */
import { checkColumns, checkGroups } from './check-columns.ts';
import { checkKeys, checkNames } from './check-keys.ts';
import { checkUrls } from './check-urls.ts';
import type { Finding } from './finding.ts';
import type { Draft, RawConfig } from './schema.ts';

/** Everything that is wrong between keys. Works on what could be read, so that all problems are found at once. */
export function checkAll(config: Draft<RawConfig>): Finding[] {
  return [
    ...checkNames(config),
    ...checkKeys(config),
    ...checkUrls(config),
    ...checkColumns(config),
    ...checkGroups(config),
    ...checkPluginKeys(config),
  ];
}

/** Keys that mean nothing to a peer that is a daemon too. */
function checkPluginKeys(config: Draft<RawConfig>): Finding[] {
  return (config.peers ?? []).flatMap((peer, index) => {
    if (peer === undefined || peer.protocol === 'plugin') return [];
    const given = (['timezone', 'feed_schedule'] as const).filter((name) => peer[name] !== undefined);
    const message = 'only a peer with "protocol: plugin" takes this';
    return given.map((name) => ({ path: `peers[${index}].${name}`, message }));
  });
}
