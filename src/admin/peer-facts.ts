/** The peers of a site as its config and its columns have them. */
import { namesIn, namesSent, type ColumnList } from '../model/policy.ts';
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
    columns: spellOut(peer.columns, namesIn, site),
    sendColumns: spellOut(peer.sendColumns, namesSent, site),
  }));
}

/** The column names a list stands for on this site. */
function spellOut(list: ColumnList, namesOf: typeof namesIn, site: Site): string[] {
  const names = namesOf(list, site.config.columns.custom);
  if (typeof list !== 'string') return names;
  const table = site.snapshot().catalog.requireTable('t_user');
  return names.filter((name) => name === DESCRIPTION || table.column(name) !== undefined);
}
