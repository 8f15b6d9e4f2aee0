/**
 * Times of a plugin peer: it says and takes local time without a zone. Where the config states its zone, and ours is known,
 * they are converted on the way in and out; else its local time counts as ours. Pure.
 */
import type { Column } from '../db/catalog.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { makeZone, type Zone } from '../osclass/timezone.ts';
import type { PluginRow } from './row.ts';

/** Conversions between the peer's local time and what this site stores; what is no time stays as it is. */
export interface PeerTimes {
  toOurs(column: Pick<Column, 'type'>, text: string): string;
  toTheirs(column: Pick<Column, 'type'>, text: string): string;
}

/** @param zone IANA zone of the peer; null: as ours */
export function makePeerTimes(zone: string | null, ours: Zone): PeerTimes {
  const theirs = makeZone(zone);
  if (!theirs.known || !ours.known) return { toOurs: (_column, text) => text, toTheirs: (_column, text) => text };
  return {
    toOurs({ type }, text) {
      if (type === 'datetime') return ours.toLocal(theirs.toUtc(text));
      // Read and written as UTC in our sessions.
      return type === 'timestamp' ? theirs.toUtc(text) : text;
    },
    toTheirs({ type }, text) {
      if (type === 'datetime') return theirs.toLocal(ours.toUtc(text));
      return type === 'timestamp' ? theirs.toLocal(text) : text;
    },
  };
}

/** A date of registration as this site stores it → as the peer has it: dates of the two sites are only compared in its time. */
export function registeredThere(regDate: string, { columns }: Pick<HostUsers, 'columns'>, times: PeerTimes): string {
  return times.toTheirs(columns.get('dt_reg_date')?.[0] ?? { type: 'datetime' }, regDate);
}

/** Those of a peer of the config. */
export function peerTimes(
  peers: readonly { readonly name: string; readonly timezone: string | null }[],
  peer: string,
  ours: Zone,
): PeerTimes {
  return makePeerTimes(peers.find(({ name }) => name === peer)?.timezone ?? null, ours);
}

/**
 * The row with its times as this site stores them. Those of the peer stay beside them, for by them it is told what the peer
 * had: an hour that comes twice a year is one text there and may be two here.
 */
export function inOurTimes(row: PluginRow, hosts: HostUsers, times: PeerTimes): PluginRow {
  const columns = new Map(row.columns);
  const profile = new Map(row.profile);
  const theirs = new Map<string, string>();
  for (const [register, list] of hosts.times) {
    const related = hosts.related.find((one) => one.register === register);
    if (related !== undefined && related.table.base !== 't_user_business_profile') continue;
    const values = related === undefined ? columns : profile;
    for (const column of list) {
      const text = values.get(column.name);
      if (text === undefined) continue;
      theirs.set(related === undefined ? column.name : `${register}.${column.name}`, text);
      values.set(column.name, times.toOurs(column, text));
    }
  }
  return { ...row, columns, profile, theirs };
}
