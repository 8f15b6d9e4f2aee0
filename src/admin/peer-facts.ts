/** The peers of a site as its config and its columns have them. */
import { namesIn, type ColumnList } from '../model/policy.ts';
import { DESCRIPTION } from '../model/register.ts';
import type { Site } from '../site/site.ts';
import type { PeerFacts } from '../store/peer-status.ts';

/** The peers of the config with their lists of columns spelt out. */
export function peerFacts(site: Site): PeerFacts[] {
  return site.config.peers.map((peer) => ({
    name: peer.name,
    url: peer.url,
    protocol: peer.protocol,
    receive: peer.receive,
    columns: spellOut(peer.columns, site),
    sendColumns: spellOut(peer.sendColumns, site),
  }));
}

/** The column names a list stands for on this site. */
function spellOut(list: ColumnList, site: Site): string[] {
  const names = namesIn(list, site.config.columns.custom);
  if (typeof list !== 'string') return names;
  const table = site.snapshot().catalog.requireTable('t_user');
  return names.filter((name) => name === DESCRIPTION || table.column(name) !== undefined);
}
