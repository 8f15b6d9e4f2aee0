/** What every command starts from: options all share, the config, the site, and where output goes. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Config } from '../config/config.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import { meantBy } from '../config/suggest.ts';
import { isInstalled, pendingMigrations } from '../db/migrate.ts';
import { readMigrations } from '../db/sql-script.ts';
import { SyncError } from '../model/errors.ts';
import { systemClock } from '../runtime/clock.ts';
import { openSite, type Site } from '../site/site.ts';

/** What commands read and write; `process` in real life. */
export interface Terminal {
  readonly env: NodeJS.ProcessEnv;
  /** Data: what a program would read. Control characters in it are escaped, whoever said them. */
  out(text: string): void;
  /** Everything else: progress, remarks, problems. Escaped likewise. */
  err(text: string): void;
  /** Data as it is, with colours of ours in it: whatever comes from elsewhere must have been escaped before. */
  paint(text: string): void;
  /** True if a person watches what goes to stderr. */
  readonly isInteractive: boolean;
  /** True if a person reads what goes to stdout, and wants colours. */
  readonly isColoured: boolean;
  /**
   * From the first call on, the first SIGINT or SIGTERM aborts the signal instead of ending the process; a second one
   * ends it. A command that never calls this ends at once, as programs do.
   */
  untilStopped(): AbortSignal;
  /** Told the `logs.level` of the config: at `debug`, failures come with their stack. */
  noteLevel(level: string): void;
}

/** 0 done, 1 failed, 2 usage or config, 3 something needs a person; 130 the person stopped it. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** Options of every command. */
export interface CommonOptions {
  readonly config?: string;
}

/** Options of the commands that print data. */
export interface DataOptions extends CommonOptions {
  readonly json?: boolean;
}

/** The path of the config file that is meant: `--config`, `ACCOUNT_SYNC_CONFIG`, or `config.yaml`. */
export function configFile(options: CommonOptions, { env }: Pick<Terminal, 'env'>): string {
  const named = options.config ?? env['ACCOUNT_SYNC_CONFIG'];
  return named === undefined || named === '' ? 'config.yaml' : named;
}

/**
 * The config of {@link configFile}, for whatever may call peers. Throws ConfigError with all problems of the file, and
 * `TLS_UNVERIFIED` where the environment turns off the check of certificates.
 */
export async function readConfig(options: CommonOptions, terminal: Terminal): Promise<Config> {
  return (await loadChecked(options, terminal)).config;
}

/** The same, with what is known of its files. */
export async function loadChecked(options: CommonOptions, terminal: Terminal): Promise<LoadedConfig> {
  if (isTlsUnverified(terminal)) throw new SyncError('TLS_UNVERIFIED');
  return await loadUnchecked(options, terminal);
}

/** The same, whatever the environment says of certificates: for what calls no peer then. */
export async function loadUnchecked(options: CommonOptions, terminal: Terminal): Promise<LoadedConfig> {
  const loaded = await loadConfig(configFile(options, terminal), terminal.env);
  terminal.noteLevel(loaded.config.logs.level);
  return loaded;
}

/** True if Node.js was told not to check certificates. */
export function isTlsUnverified({ env }: Pick<Terminal, 'env'>): boolean {
  return env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0';
}

/** What a command needs of the site. */
export interface SiteNeeds {
  /** Our tables; true unless given. */
  readonly tables?: boolean;
  /** A peer of this name. It is looked for before anything is connected to. */
  readonly peer?: string | undefined;
}

/**
 * Opens the site of the config, works on it, and closes it whatever happens. Throws ConfigError, `PEER_UNKNOWN`, what
 * opening throws, and `NOT_INSTALLED` or `SCHEMA_NEWER` where the tables do not fit this version.
 */
export async function withSite<T>(
  options: CommonOptions,
  terminal: Terminal,
  work: (site: Site) => Promise<T>,
  { tables = true, peer }: SiteNeeds = {},
): Promise<T> {
  const config = await readConfig(options, terminal);
  if (peer !== undefined) requirePeer(config, peer);
  const site = await openSite(config, { clock: systemClock });
  try {
    if (tables) await requireTables(site);
    return await work(site);
  } finally {
    await site.close();
  }
}

/** Throws `NOT_INSTALLED` if our tables are not there, or older than this version; `SCHEMA_NEWER` if newer. */
async function requireTables({ db, config }: Site): Promise<void> {
  if (!(await isInstalled(db))) throw new SyncError('NOT_INSTALLED');
  const [missing] = await pendingMigrations(db, readMigrations(config.database.tablePrefix));
  if (missing === undefined) return;
  throw new SyncError('NOT_INSTALLED', `The tables are of an older version: ${missing.name} has not been run.`);
}

/** Throws `PEER_UNKNOWN`, naming the peers there are, and which was probably meant. */
export function requirePeer({ peers }: Config, name: string): void {
  const names = peers.map((one) => one.name);
  if (names.includes(name)) return;
  const known = names.length === 0 ? 'there are none in the config' : `the config has ${names.join(', ')}`;
  const meant = meantBy(name, names);
  const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
  throw new SyncError('PEER_UNKNOWN', `No peer "${name}": ${known}.${hint}`);
}

/** A JSON document, in a readable form, or on one line where documents follow each other. */
export function writeJson(terminal: Terminal, value: unknown, oneLine = false): void {
  terminal.out(`${JSON.stringify(value, null, oneLine ? undefined : 2)}\n`);
}

/** Waits, or comes back at once when the person wants to stop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined);
}
