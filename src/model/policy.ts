/**
 * Which columns count: what travels at all, what a list in the config stands for, and so which registers are exchanged with a
 * peer. Whoever reads, sends, accepts, checks or explains columns asks here, and nowhere else is it decided. Pure.
 */
import { DESCRIPTION, GROUPS, localeOf, registerOfColumn, type RegisterName } from './register.ts';

/** Columns that never leave a site and are never taken from a peer, whatever the config says. */
export const NEVER_TRAVELS: readonly string[] = [
  'pk_i_id',
  'i_items',
  'i_comments',
  'dt_access_date',
  's_access_ip',
  'i_login_fails',
  'dt_login_fail_date',
  's_pass_code',
  's_pass_date',
  's_pass_ip',
  'fk_i_region_id',
  'fk_i_city_id',
  'fk_i_city_area_id',
];

/** What `columns: default` means for `t_user`; columns a site does not have are left out. */
export const DEFAULT_COLUMNS: readonly string[] = [
  'dt_reg_date',
  'dt_mod_date',
  's_name',
  's_username',
  's_password',
  's_email',
  's_website',
  's_phone_land',
  's_phone_mobile',
  'b_enabled',
  'b_active',
  ...(GROUPS['address'] ?? []),
  'b_company',
  'fk_c_locale_code',
];

/** What accounts of different sites are found by. */
export const ADDRESS_COLUMN = 's_email';

/** File name of the profile picture: only with `all`, or by name, for the file itself is on one site. */
const PROFILE_IMAGE = 's_profile_img';

/** Columns of Osclass that no list stands for: secrets of one site, and names of files that only one site has. */
const ONLY_BY_NAME: ReadonlySet<string> = new Set(['s_secret', PROFILE_IMAGE]);

/** False for columns that never leave a site and are never taken from a peer, whatever the config says. */
export function mayTravel(column: string): boolean {
  return !NEVER_TRAVELS.includes(column);
}

/** True for columns that have to be listed by name, or come with `all`. */
export function isOnlyByName(column: string): boolean {
  return ONLY_BY_NAME.has(column);
}

/** True for columns of `t_user` that some version of Osclass has; all others were added to the site. */
export function isOfOsclass(column: string): boolean {
  return DEFAULT_COLUMNS.includes(column) || NEVER_TRAVELS.includes(column) || ONLY_BY_NAME.has(column);
}

/** True for what a list may name though this site has no such column: one of Osclass, a group, the descriptions. */
export function isOrdinaryName(name: string): boolean {
  return isOfOsclass(name) || Object.hasOwn(GROUPS, name) || name === DESCRIPTION;
}

/** What a peer entry lists: `default`, `all`, or names. */
export type ColumnList = 'default' | 'all' | readonly string[];

/** The names a list stands for, without regard to what the site has. */
export function namesIn(list: ColumnList, custom: readonly string[]): string[] {
  if (typeof list !== 'string') return [...list];
  return [...DEFAULT_COLUMNS, ...custom, ...(list === 'all' ? [PROFILE_IMAGE] : []), DESCRIPTION];
}

/** The names a list of what is sent stands for, likewise: `s_email` whatever it says, for without it nobody could be found. */
export function namesSent(list: ColumnList, custom: readonly string[]): string[] {
  const names = namesIn(list, custom);
  return names.includes(ADDRESS_COLUMN) ? names : [ADDRESS_COLUMN, ...names];
}

/** The part of a config that says which columns are exchanged. */
export interface ColumnPolicy {
  readonly columns: { readonly custom: readonly string[] };
  readonly peers: readonly { readonly columns: ColumnList; readonly sendColumns: ColumnList }[];
}

/** Names that the config gives itself: custom columns, and those in lists of peers. With repetitions. */
export function namedColumns({ columns, peers }: ColumnPolicy): string[] {
  const lists = peers.flatMap((peer) => [peer.columns, peer.sendColumns]);
  return [...columns.custom, ...lists.flatMap((list) => (typeof list === 'string' ? [] : list))];
}

/** Columns beyond the default ones that some peer is sent, or is taken from. */
export function furtherColumns({ columns, peers }: ColumnPolicy): string[] {
  const isAll = peers.some((peer) => peer.columns === 'all' || peer.sendColumns === 'all');
  return [...namedColumns({ columns, peers }), ...(isAll ? [PROFILE_IMAGE] : [])];
}

/** Decides for each register whether it is exchanged. */
export type Selection = (register: RegisterName) => boolean;

/**
 * The registers a `columns` entry stands for. Groups move together: naming one column of a group selects the group. `all`
 * adds the profile picture; `s_secret` and consent columns count only when listed by name.
 */
export function makeSelection(list: ColumnList, custom: readonly string[]): Selection {
  return selectionOf(namesIn(list, custom));
}

/** The registers a `send_columns` entry stands for, likewise. */
export function makeSendSelection(list: ColumnList, custom: readonly string[]): Selection {
  return selectionOf(namesSent(list, custom));
}

function selectionOf(names: readonly string[]): Selection {
  const registers = new Set(names.filter(mayTravel).map(registerOfColumn));
  return (register) => registers.has(localeOf(register) === undefined ? register : DESCRIPTION);
}
