/** `account-sync init`: a config.yaml for the Osclass of this machine, and what is to be run and told elsewhere. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { grantsSql, quoteAccount } from '../capture/install.ts';
import type { DatabaseConfig } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { whyUnreadable } from '../config/unreadable.ts';
import { openPool } from '../db/pool.ts';
import { SyncError } from '../model/errors.ts';
import { readConfigPhp, type OsclassConfig } from '../osclass/config-php.ts';
import { surveySite, type Survey } from '../osclass/survey.ts';
import { readInstalledPlugin, type InstalledPlugin } from '../plugin/installed.ts';
import { newKey } from '../runtime/new-key.ts';
import { configFile, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { renderConfig, type InitFacts } from './init-config.ts';

/** Flags of the command. */
export interface InitFlags extends CommonOptions {
  /** The folder of Osclass; the current one unless given. */
  readonly osclass?: string;
  /** `site.name`; from the address of the site unless given. */
  readonly name?: string;
  /** Puts a new file in the place of one that is there, which is kept beside it. */
  readonly force?: boolean;
}

/** Where servers on the same machine listen besides TCP. */
const SOCKETS = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];
/** MySQL allows no longer names. */
const LONGEST_USER = 32;
const NOWHERE = 'https://site.example.com/';

/** What looking at the database gave: how it was reached, and what is there. */
interface Seen {
  readonly database: DatabaseConfig;
  readonly survey: Survey;
  readonly plugin: InstalledPlugin | undefined;
}

/** Writes the file, mode 0600; on stdout the SQL for an account and the entry for peers. 1: it is there already, or nothing to read. */
export async function init(flags: InitFlags, terminal: Terminal): Promise<ExitCode> {
  const file = configFile(flags, terminal);
  if (existsSync(file) && flags.force !== true) {
    terminal.err(
      `${file} is there already.\n  → Name another with --config, or use --force: the old one is then kept as ${file}.old.\n`,
    );
    return 1;
  }
  const osclass = await readOsclass(join(flags.osclass ?? '.', 'config.php'), flags, terminal);
  if (osclass === undefined) return 1;
  const seen = await lookAt(osclass, terminal);
  const facts = factsOf(osclass, seen, flags);
  const { text, remarks } = renderConfig(facts);
  parseConfig(text, file, {}, () => '');

  try {
    if (existsSync(file)) await rename(file, `${file}.old`);
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    terminal.err(`${file} cannot be written: ${whyUnreadable(error)}.\n`);
    return 1;
  }
  terminal.err(`${file} written, with new keys.\n`);
  for (const remark of [...remarks, ...remarksOn(facts)]) terminal.err(`  ! ${remark}\n`);
  terminal.out(accountSql(facts, osclass));
  terminal.out(peerEntry(facts));
  terminal.err('\nNext: run the SQL, then "account-sync check", "account-sync install", "account-sync run".\n');
  return 0;
}

async function readOsclass(path: string, flags: InitFlags, terminal: Terminal): Promise<OsclassConfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const advice =
      flags.osclass === undefined ? 'Name the folder of Osclass: account-sync init --osclass DIR' : 'Check the folder.';
    terminal.err(`${path} cannot be read: ${whyUnreadable(error)}.\n  → ${advice}\n`);
    return undefined;
  }
  const read = readConfigPhp(text);
  if ('config' in read) return read.config;
  terminal.err(`${path} does not say ${read.missing.join(', ')}, or not literally.\n`);
  terminal.err('  → Write the config by hand, from config.example.yaml.\n');
  return undefined;
}

/** Through Osclass's own account. PHP takes `localhost` for a socket, so both ways are tried. */
async function lookAt(osclass: OsclassConfig, terminal: Terminal): Promise<Seen | undefined> {
  const { host, port, socketPath } = osclass;
  const plain = {
    user: osclass.user,
    password: osclass.password,
    name: osclass.name,
    tablePrefix: osclass.tablePrefix,
  };
  const overTcp = {
    ...plain,
    host: host === 'localhost' ? '127.0.0.1' : host,
    port: port ?? 3306,
    socketPath,
    ssl: false,
  };
  const isHere = host === 'localhost' && socketPath === null && port === null;
  const sockets = isHere ? SOCKETS.filter((path) => existsSync(path)) : [];
  const ways: DatabaseConfig[] = [...sockets.map((path) => ({ ...overTcp, socketPath: path })), overTcp];
  let problem: SyncError | undefined;
  for (const database of ways) {
    const pool = openPool(database, { connectionLimit: 1 });
    try {
      const survey = await surveySite(pool.db, database.name, database.tablePrefix);
      return { database, survey, plugin: await readInstalledPlugin(pool.db, survey.catalog) };
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      problem = error;
    } finally {
      await pool.close();
    }
  }
  terminal.err(`The database could not be looked at: ${problem?.message ?? ''}\n`);
  terminal.err(
    "  → Time zone, columns and the PHP plugin's peers are not in the config; or mend it and use --force.\n",
  );
  return undefined;
}

function factsOf(osclass: OsclassConfig, seen: Seen | undefined, flags: InitFlags): InitFacts {
  const url = osclass.url ?? NOWHERE;
  const reached = seen?.database ?? {
    ...{ host: osclass.host === 'localhost' ? '127.0.0.1' : osclass.host, port: osclass.port ?? 3306 },
    ...{ socketPath: osclass.socketPath, name: osclass.name, tablePrefix: osclass.tablePrefix, ssl: false },
  };
  const { plugin, survey } = seen ?? {};
  // Peers that run the plugin know this site by the key it has there.
  const known = plugin?.apiKey ?? null;
  const site = flags.name ?? siteName(url);
  // Of its own, also where several sites share a server.
  const user = `account_sync_${site.replaceAll('-', '_')}`.slice(0, LONGEST_USER);
  return {
    site,
    url,
    database: { ...reached, user, password: newKey() },
    apiKey: known !== null && /^[\x21-\x7e]{20,}$/.test(known) ? known : newKey(),
    adminToken: newKey(),
    survey,
    plugin,
  };
}

function remarksOn({ url, survey, plugin, site, apiKey }: InitFacts): string[] {
  return [
    ...(url === NOWHERE ? ['config.php does not say WEB_PATH: put the address of the site into site.url.'] : []),
    `The site is called "${site}": it must be unique among all sites and never changes later (--name).`,
    ...(survey?.timezone === null ? ['Osclass states no time zone: set site.timezone.'] : []),
    ...(plugin === undefined
      ? []
      : [
          `The PHP plugin is installed${plugin.isActive ? ' and active: "account-sync check" says how to end it' : ''}.`,
        ]),
    ...(plugin !== undefined && plugin.apiKey === apiKey
      ? ['site.api_key is the key the plugin has, for its peers know it.']
      : []),
  ];
}

function accountSql({ database, survey }: InitFacts, osclass: OsclassConfig): string {
  const host = survey?.clientHost ?? (osclass.host === 'localhost' ? 'localhost' : '%');
  const account = quoteAccount(database.user, host);
  const trust = survey?.needsTrust === true ? ['SET GLOBAL log_bin_trust_function_creators = 1'] : [];
  const create = `CREATE USER ${account} IDENTIFIED BY '${database.password}'`;
  const lines = [create, ...grantsSql(database.name, account), ...trust].map((statement) => `${statement};\n`);
  return `-- A database account of its own, with the rights it needs and no others; to be run by an administrator.\n${lines.join('')}`;
}

function peerEntry({ site, url, apiKey }: InitFacts): string {
  return `
# What each peer has to add to its peers. The path is what its site's reverse proxy hands to this daemon.
  - name: ${site}
    url: ${url}account-sync/
    api_key: ${apiKey}
`;
}

/** `https://www.cars.example.com/` → `cars` */
function siteName(url: string): string {
  const label = new URL(url).hostname.replace(/^www\./, '').split('.')[0] ?? '';
  const name = label
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 32);
  return name === '' ? 'site' : name;
}
