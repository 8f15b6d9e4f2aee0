/** What depends on the tables as they are now: made again when the host's columns, its locales or its zone change. */
import type { Config } from '../config/config.ts';
import { readCatalog, type Catalog } from '../db/catalog.ts';
import type { Pool } from '../db/pool.ts';
import { furtherColumns, makeSelection, makeSendSelection } from '../model/policy.ts';
import type { PeerRoute } from '../model/route.ts';
import { makeHostUsers, type HostUsers } from './host-users.ts';
import { findRelated } from './related.ts';
import { makeLocations, type Locations } from './locations.ts';
import { makeZone, readSiteTimezone, type Zone } from './timezone.ts';
import { readLocales } from './write-users.ts';

/** The tables, zone and locales of the host as last read. */
export interface HostSnapshot {
  readonly catalog: Catalog;
  readonly hosts: HostUsers;
  readonly zone: Zone;
  readonly locations: Locations;
  /** Undefined: this site has no table of locales. */
  readonly locales: ReadonlySet<string> | undefined;
}

/** Reads the host: five statements. Throws `HOST_TABLE_MISSING`. */
export async function readHostSnapshot(db: Pool['db'], config: Config): Promise<HostSnapshot> {
  const catalog = await readCatalog(db, config.database.name, config.database.tablePrefix);
  const related = findRelated(catalog, config.relatedTables);
  const groups = config.relatedTables.map((entry) => entry.as);
  const lacking = groups.filter((group) => !related.some((one) => one.register === group));
  const localeTable = catalog.table('t_locale');
  return {
    catalog,
    hosts: makeHostUsers(
      catalog,
      config.columns.custom,
      furtherColumns(config).filter((name) => !groups.includes(name)),
      related,
      lacking,
    ),
    zone: makeZone(config.site.timezone ?? (await readSiteTimezone(db, catalog))),
    locations: makeLocations({ catalog, mode: config.locations }),
    locales: localeTable === undefined ? undefined : await readLocales(db, localeTable),
  };
}

/** The peers of a config as the work sees them. */
export function routesOf(config: Config): PeerRoute[] {
  const further = [...config.columns.custom, ...config.relatedTables.map((related) => related.as)];
  return config.peers.map((peer) => ({
    name: peer.name,
    send: peer.send,
    receive: peer.receive,
    emailTrust: peer.emailTrust,
    relay: peer.relay,
    removalMode: peer.removalMode,
    sanitize: peer.sanitize,
    sends: makeSendSelection(peer.sendColumns, further),
    accepts: makeSelection(peer.columns, further),
  }));
}

/** True if the site got a language. */
export function hasNewLocale(before: HostSnapshot | undefined, after: HostSnapshot): boolean {
  return [...(after.locales ?? [])].some((locale) => before?.locales?.has(locale) !== true);
}

/** True if values that could not be stored may be now, or the other way round. */
export function hasOtherColumns(before: HostSnapshot | undefined, after: HostSnapshot): boolean {
  return before === undefined || columnsOf(before) !== columnsOf(after);
}

/** All that decides whether a value can be stored, as one text to compare. */
function columnsOf({ hosts }: HostSnapshot): string {
  return JSON.stringify([[...hosts.columns.values()].flat(), hosts.text]);
}
