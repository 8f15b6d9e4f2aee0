/** The values of a row of a plugin peer, where they belong here, beside our own. Pure. */
import type { Column } from '../db/catalog.ts';
import { valuesOf } from '../model/absorb.ts';
import { descriptionRegister, localeOf, type RegisterName, type Value } from '../model/register.ts';
import type { HostUser, HostUsers } from '../osclass/host-users.ts';
import { BLANK, impress, impressTold, type Impression } from '../model/plugin-memory.ts';
import type { PluginRow } from './row.ts';
import type { PeerTimes } from './times.ts';

/** A column as both sites know it. */
export interface RegisterColumn {
  readonly register: RegisterName;
  readonly column: string;
  /** Its name in the memory. */
  readonly name: string;
}

/** One value of a row. */
export interface RowValue extends RegisterColumn {
  readonly value: string;
  readonly digest: string;
}

/** All values of a row that this site has a place for. */
export function valuesIn(row: PluginRow, hosts: HostUsers): RowValue[] {
  const values: RowValue[] = [];
  const add = (place: RegisterColumn, value: string): void => {
    values.push({ ...place, value, digest: impress(place.name, row.theirs.get(place.name) ?? value) });
  };
  const related = new Set(hosts.related.map((one) => one.register));
  for (const [register, columns] of hosts.columns) {
    if (register === 's_email' || related.has(register)) continue;
    for (const column of columns) {
      const value = row.columns.get(column.name);
      if (value === undefined || !isFilled(column, value)) continue;
      add({ register, column: column.name, name: column.name }, value);
    }
  }
  const profile = hosts.related.find((one) => one.table.base === 't_user_business_profile');
  for (const column of profile?.columns ?? []) {
    const value = row.profile.get(column.name);
    if (profile === undefined || value === undefined || !isFilled(column, value)) continue;
    add({ register: profile.register, column: column.name, name: `${profile.register}.${column.name}` }, value);
  }
  if (hosts.describes) {
    for (const [locale, text] of row.descriptions) {
      const register = descriptionRegister(locale);
      add({ register, column: 's_info', name: register }, text);
    }
  }
  return values;
}

/**
 * What a row says by silence: its text columns that are absent are NULL there, so that what is there later was filled
 * since. Not so those that are left out for other reasons: names that are ids, hashes that are none.
 */
export function absentTexts(row: PluginRow, hosts: HostUsers): Map<string, Impression> {
  const silent = new Map<string, Impression>();
  for (const [register, columns] of hosts.columns) {
    if (hosts.related.some((one) => one.register === register)) continue;
    for (const { name, charset } of columns) {
      if (charset === null || /^(?:fk|b|dt|d)_/.test(name) || UNSAID.has(name) || row.columns.has(name)) continue;
      silent.set(name, { has: BLANK, maybe: [], said: true });
    }
  }
  return silent;
}

/** Never taken as they stand. */
const UNSAID: ReadonlySet<string> = new Set(['s_email', 's_username', 's_password', 's_secret']);

/** What this site holds there; null for bytes too, which the plugin cannot send. */
export function ourValue(host: HostUser, { register, column }: RegisterColumn): string | null {
  const value: Value | undefined = valuesOf(host.registers, register)?.[localeOf(register) ? 's_info' : column];
  return typeof value === 'string' ? value : null;
}

/** Digests of what this site holds there: as it is, and as a peer that was told it has it. */
export function digestsOfOurs(
  host: HostUser,
  place: RegisterColumn,
  hosts: HostUsers,
  times: PeerTimes,
): { plain: string; told: string } {
  const held = ourValue(host, place);
  const column = hosts.columns.get(place.register)?.find((one) => one.name === place.column);
  const ours = held === null || column === undefined ? held : times.toTheirs(column, held);
  return { plain: impress(place.name, ours), told: impressTold(place.name, ours, column) };
}

/** A number or a date cannot be cleared through the plugin: an empty one is what its form made of none. */
function isFilled(column: Column, value: string): boolean {
  return value !== '' || column.charset !== null;
}
