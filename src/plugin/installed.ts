/**
 * The PHP plugin as it is installed on our own site: what its settings say, for a config that takes over from it. It keeps
 * them in Osclass's preferences (section `plugin-account_sync`), its peers in `t_asc_account`; `t_asc_log` is only its log.
 */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { DEFAULT_COLUMNS, isOnlyByName, mayTravel, type ColumnList } from '../model/policy.ts';
import { DESCRIPTION } from '../model/register.ts';
import { withoutOuter, withoutTrailing } from '../model/trim-text.ts';

/** The plugin's settings. */
export interface InstalledPlugin {
  /** True while Osclass loads it: then it sends and takes users beside whoever else does. */
  readonly isActive: boolean;
  /** Secret: what this site identifies itself with. Null if there is none. */
  readonly apiKey: string | null;
  /** Most users it serves in one call. */
  readonly feedLimit: number;
  /** Columns that an administrator added to those it knows. */
  readonly customColumns: readonly string[];
  /** Its peers, oldest first. */
  readonly accounts: readonly PluginAccount[];
  /** What it has queued and not sent to anybody. Its cron URL sends it; afterwards nobody does. */
  readonly waiting: { readonly users: number; readonly removals: number };
}

/** One of its peers. */
export interface PluginAccount {
  /** As a person wrote it; {@link peerName} is fit for a config. */
  readonly name: string;
  /** A name for `peers[].name`: `[a-z0-9-]`, up to 32, and no other account's. */
  readonly peerName: string;
  /** The site root, with a final slash. */
  readonly url: string;
  /** Secret: what the peer identifies itself with. */
  readonly apiKey: string;
  /** What it takes from the peer, as listed; the list of {@link columns} is fit for a config. */
  readonly listed: readonly string[];
  /** The same for `peers[].columns`: without what never travels, or is of no use elsewhere. */
  readonly columns: ColumnList;
  /** The highest id of a user that was fed from the peer; 0: none was. */
  readonly lastUserId: number;
}

const SECTION = 'plugin-account_sync';
/** As in the list of active plugins, be it PHP's own format or JSON. */
const ENTRY = /"account_sync\\?\/index\.php"/;
const DEFAULT_FEED_LIMIT = 200;
/** A table of its own, which `related_tables` names. */
const PROFILE = 'user_business_profile';
const MAX_NAME = 32;

/** What is installed; undefined if the plugin is not. Reads two tables, if they are there. */
export async function readInstalledPlugin(runner: Runner, catalog: Catalog): Promise<InstalledPlugin | undefined> {
  const settings = await readSettings(runner, catalog);
  const table = catalog.table('t_asc_account');
  if (settings.size === 0 && table === undefined) return undefined;
  const setting = (name: string): string => (settings.get(name) ?? '').trim();
  const limit = Number(setting('feed_limit'));
  return {
    isActive: await isPluginActive(runner, catalog),
    apiKey: setting('apikey') || null,
    feedLimit: Number.isSafeInteger(limit) && limit > 0 ? limit : DEFAULT_FEED_LIMIT,
    customColumns: namesIn(setting('custom_columns')),
    accounts: table === undefined ? [] : await readAccounts(runner, catalog),
    waiting: {
      users: namesIn(setting('users_to_stream')).length,
      removals: namesIn(setting('users_to_stream_removed')).length,
    },
  };
}

/** `SELECT s_value FROM t_preference WHERE s_section = 'osclass' AND s_name = 'active_plugins'`: the plugin is among them. */
async function isPluginActive(runner: Runner, catalog: Catalog): Promise<boolean> {
  const table = catalog.table('t_preference');
  if (table === undefined) return false;
  const { rows } = await sql<{ value: string | null }>`SELECT s_value AS value FROM ${id(table.name)}
    WHERE s_section = 'osclass' AND s_name = 'active_plugins'`.execute(runner);
  return rows.some(({ value }) => ENTRY.test(value ?? ''));
}

async function readSettings(runner: Runner, catalog: Catalog): Promise<Map<string, string>> {
  const table = catalog.table('t_preference');
  if (table === undefined) return new Map();
  const { rows } = await sql<{ name: string; value: string | null }>`
    SELECT s_name AS name, s_value AS value FROM ${id(table.name)} WHERE s_section = ${SECTION}`.execute(runner);
  return new Map(rows.map(({ name, value }) => [name, value ?? '']));
}

/** `SELECT * FROM t_asc_account ORDER BY pk_i_id`: a version that lacks a column has none of what it says. */
async function readAccounts(runner: Runner, catalog: Catalog): Promise<PluginAccount[]> {
  const { name: table } = catalog.requireTable('t_asc_account');
  const { rows } = await sql<Record<string, string | number | null>>`
    SELECT * FROM ${id(table)} ORDER BY pk_i_id`.execute(runner);
  const taken = new Set<string>();
  return rows.map((row) => {
    const text = (column: string): string => String(row[column] ?? '').trim();
    const listed = namesIn(text('s_columns'));
    const lastUserId = Number(text('i_last_user_id'));
    return {
      name: text('s_name'),
      peerName: freeName(text('s_name'), taken),
      url: `${withoutTrailing(text('s_url'), '/')}/`,
      apiKey: text('s_key'),
      listed,
      columns: columnsOf(listed),
      lastUserId: Number.isSafeInteger(lastUserId) && lastUserId > 0 ? lastUserId : 0,
    };
  });
}

function namesIn(list: string): string[] {
  const names = list.split(',').map((name) => name.trim().toLowerCase());
  return [...new Set(names)].filter((name) => name !== '');
}

function columnsOf(listed: readonly string[]): ColumnList {
  // The plugin's own list has the latter by default: secrets of one site, and names of files that only that site has.
  const useful = listed.filter((name) => mayTravel(name) && !isOnlyByName(name) && name !== PROFILE);
  // Its own default, which a list left empty was meant to be.
  const isAll = listed.length === 0 || [...PLUGIN_DEFAULTS].every((name) => useful.includes(name));
  return isAll && useful.every((name) => DEFAULTS.has(name)) ? 'default' : useful;
}

const DEFAULTS = new Set<string>([...DEFAULT_COLUMNS, DESCRIPTION]);
/** What the plugin takes unless told otherwise, as far as it travels; of an address it names no codes. */
const PLUGIN_DEFAULTS = new Set([...DEFAULTS].filter((name) => !name.startsWith('fk_') && !name.endsWith('_native')));

function freeName(name: string, taken: Set<string>): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-');
  const plain = withoutOuter(words, '-').slice(0, MAX_NAME);
  const base = plain === '' ? 'peer' : plain;
  let free = base;
  for (let n = 2; taken.has(free); n += 1) free = `${base.slice(0, MAX_NAME - String(n).length - 1)}-${n}`;
  taken.add(free);
  return free;
}
