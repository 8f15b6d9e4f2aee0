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
    ...checkFeedSchedules(config),
  ];
}

function checkFeedSchedules(config: Draft<RawConfig>): Finding[] {
  return (config.peers ?? []).flatMap((peer, index) => {
    if (peer?.feed_schedule === undefined || peer.protocol === 'plugin') return [];
    return [{ path: `peers[${index}].feed_schedule`, message: 'only a peer with "protocol: plugin" takes this' }];
  });
}
