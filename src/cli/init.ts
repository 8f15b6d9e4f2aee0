/** `account-sync init`: a config.yaml for the Osclass of this machine, and what is to be run and told elsewhere. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, join } from 'node:path';
import { isLoopback } from '../config/url.ts';
import type { DatabaseConfig } from '../config/config.ts';
import { SITE_NAME } from '../config/scalar-schemas.ts';
import { parseConfig } from '../config/load.ts';
import { whyUnreadable } from '../config/unreadable.ts';
import { openPool } from '../db/pool.ts';
import { SyncError } from '../model/errors.ts';
import { withoutOuter } from '../model/trim-text.ts';
import {
  fingerprintOf,
  newSigningKey,
  parseSigningKey,
  publicHalf,
  signingKeyPem,
  type SigningKey,
} from '../model/signing-key.ts';
import { readConfigPhp, type Branch, type OsclassConfig } from '../osclass/config-php.ts';
import { surveySite, type Survey } from '../osclass/survey.ts';
import { readInstalledPlugin, type InstalledPlugin } from '../plugin/installed.ts';
import { newKey } from '../runtime/new-key.ts';
import { configFile, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { CONTAINERS, likelyHost, newAccountSql, UNKNOWN_HOST } from './database-account.ts';
import { BASE_PATH, renderConfig, SIGNING_KEY_FILE, type InitFacts } from './init-config.ts';

/** Flags of the command. */
export interface InitFlags extends CommonOptions {
  /** The folder of Osclass; the current one unless given. */
  readonly osclass?: string;
  /** `site.name`; from the address of the site unless given. */
  readonly name?: string;
  /** Of several sets of values in config.php, the one whose first definition stands in this line. */
  readonly line?: number;
  /** The daemon will run in a container. */
  readonly container?: boolean;
  /** Puts a new file in the place of one that is there, which is kept beside it. */
  readonly force?: boolean;
}

/** Where servers on the same machine listen besides TCP. */
const SOCKETS = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];
/** MySQL allows no longer names. */
const LONGEST_USER = 32;
const NOWHERE = 'https://site.example.com/';
/** A server of the machine, as its containers see it. */
const FROM_CONTAINER = { host: 'host.docker.internal', socketPath: null };

/** What looking at the database gave: how it was reached, and what is there. */
interface DatabaseFound {
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
  if (flags.name !== undefined && !new RegExp(SITE_NAME.pattern).test(flags.name)) {
    terminal.err(`--name "${flags.name}": expected ${SITE_NAME.expected}.\n`);
    return 2;
  }
  const read = await readOsclass(join(flags.osclass ?? '.', 'config.php'), flags, terminal);
  if (read === undefined) return 1;
  const { config: osclass } = read;
  if (flags.name === undefined && siteNameFrom(osclass.url ?? NOWHERE) === undefined) {
    terminal.err(`The address of the site, ${osclass.url}, gives it no name that is its own among all sites.\n`);
    terminal.err('  → Give it one, which never changes later: account-sync init --name NAME\n');
    return 2;
  }
  const seen = await lookAt(osclass, terminal);
  const keyFile = join(dirname(file), SIGNING_KEY_FILE);
  const signing = await ownSigningKey(keyFile, terminal);
  if (signing === undefined) return 1;
  const facts = factsOf(osclass, seen, flags, signing.key);
  const { text, remarks } = renderConfig(facts);
  parseConfig(text, file, {}, () => facts.signingKey);

  try {
    if (existsSync(file)) await rename(file, `${file}.old`);
    await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    terminal.err(`${file} cannot be written: ${whyUnreadable(error)}.\n`);
    return 1;
  }
  terminal.err(`${file} written, with new keys.\n`);
  if (!signing.isNew) terminal.err(`  ! ${keyFile} was there and is kept: peers may know its public half.\n`);
  for (const remark of [...read.remarks, ...remarks, ...remarksOn(facts, file, flags, read.remarks)])
    terminal.err(`  ! ${remark}\n`);
  terminal.out(await accountSql(facts, osclass));
  terminal.out(peerEntry(facts));
  terminal.err('\nNext: run the SQL, then "account-sync install", "account-sync check", "account-sync run".\n');
  return 0;
}

/** The key in the file, which is written if it is not there (mode 0600), and never written over; undefined: it cannot be, which has been said. */
async function ownSigningKey(
  file: string,
  terminal: Terminal,
): Promise<{ readonly key: SigningKey; readonly isNew: boolean } | undefined> {
  try {
    if (existsSync(file)) {
      const key = parseSigningKey(await readFile(file, 'utf8'));
      if (key !== undefined) return { key, isNew: false };
      terminal.err(`${file} is there already, and holds no Ed25519 key.\n  → Move it away.\n`);
      return undefined;
    }
    const key = newSigningKey();
    await writeFile(file, signingKeyPem(key), { mode: 0o600, flag: 'wx' });
    return { key, isNew: true };
  } catch (error) {
    terminal.err(`${file} cannot be read or written: ${whyUnreadable(error)}.\n`);
    return undefined;
  }
}

/** What config.php says, and what a person has to look at; undefined: nothing can be done with it, which has been said. */
async function readOsclass(
  path: string,
  flags: InitFlags,
  terminal: Terminal,
): Promise<{ readonly config: OsclassConfig; readonly remarks: readonly string[] } | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const advice =
      flags.osclass === undefined ? 'Name the folder of Osclass: account-sync init --osclass DIR' : 'Check the folder.';
    terminal.err(`${path} cannot be read: ${whyUnreadable(error)}.\n  → ${advice}\n`);
    return undefined;
  }
  const read = readConfigPhp(text, flags.line);
  if ('config' in read) return read;
  if ('branches' in read) {
    terminal.err(branchesText(path, read.branches));
    return undefined;
  }
  if ('lines' in read) {
    terminal.err(`${path} defines nothing of use in line ${flags.line}.\n`);
    const { lines } = read;
    if (lines.length > 0)
      terminal.err(`  → It does in ${lines.join(', ')}; --line is needed for several sets of values only.\n`);
    return undefined;
  }
  terminal.err(`${path} does not say ${read.missing.join(', ')}, or not literally.\n`);
  terminal.err('  → Write the config by hand, from config.example.yaml.\n');
  return undefined;
}

function branchesText(path: string, branches: readonly Branch[]): string {
  const lines = branches.map(({ line, values }) => {
    const pairs = Object.entries(values).map(
      ([name, value]) => `${name} ${value === null ? '(not literal)' : JSON.stringify(value)}`,
    );
    return `  line ${line}: ${pairs.join(', ')}\n`;
  });
  return `${path} has several sets of values, and which of them holds is known when PHP runs it:
${lines.join('')}  → ${adviceOn(branches)}
`;
}

function adviceOn(branches: readonly Branch[]): string {
  const lines = branches.map(({ line }) => line);
  return new Set(lines).size === lines.length
    ? `Say which is that of this site, by its line: account-sync init --line ${lines[0]}`
    : 'Several stand in one line: put each into a line of its own, or write the config by hand, from config.example.yaml.';
}

/** Through Osclass's own account. PHP takes `localhost` for a socket, so both ways are tried. */
async function lookAt(osclass: OsclassConfig, terminal: Terminal): Promise<DatabaseFound | undefined> {
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
    "  → Time zone, columns and the PHP plugin's peers are not in the config; or correct it and use --force.\n",
  );
  return undefined;
}

function factsOf(
  osclass: OsclassConfig,
  seen: DatabaseFound | undefined,
  flags: InitFlags,
  signingKey: SigningKey,
): InitFacts {
  const url = osclass.url ?? NOWHERE;
  const reached = seen?.database ?? {
    host: osclass.host === 'localhost' ? '127.0.0.1' : osclass.host,
    port: osclass.port ?? 3306,
    socketPath: osclass.socketPath,
    name: osclass.name,
    tablePrefix: osclass.tablePrefix,
    ssl: false,
  };
  const { plugin, survey } = seen ?? {};
  // Peers that run the plugin know this site by the key it has there.
  const known = plugin?.apiKey ?? null;
  const site = flags.name ?? siteNameFrom(url) ?? '';
  const isContainer = flags.container === true;
  const isHere = reached.socketPath !== null || isLoopback(reached.host);
  // Of its own, also where several sites share a server.
  const user = `account_sync_${site.replaceAll('-', '_')}`.slice(0, LONGEST_USER);
  return {
    site,
    url,
    database: { ...reached, ...(isContainer && isHere ? FROM_CONTAINER : {}), user, password: newKey() },
    isContainer,
    apiKey: known !== null && /^[\x21-\x7e]{20,}$/.test(known) ? known : newKey(),
    signingKey,
    adminToken: newKey(),
    survey,
    plugin,
  };
}

function remarksOn(facts: InitFacts, file: string, flags: InitFlags, said: readonly string[]): string[] {
  const { url, survey, plugin, site, apiKey, database } = facts;
  return [
    ...(process.getuid?.() === 0
      ? [
          `${file} and ${SIGNING_KEY_FILE} beside it are readable for root alone: give them to the account that runs the daemon (chown account-sync, or 1000 for the container).`,
        ]
      : []),
    ...(url.startsWith('https:')
      ? []
      : ['Peers call https:// only: the proxy of this site needs a certificate, or they http.allow_insecure_peers.']),
    ...(database.host === FROM_CONTAINER.host
      ? [
          `The database of this machine is ${database.host} in the container: it has to listen there too, and on Linux docker run needs --add-host=${database.host}:host-gateway.`,
        ]
      : []),
    ...(url === NOWHERE && !said.some((remark) => remark.includes('WEB_PATH'))
      ? ['config.php does not say WEB_PATH: put the address of the site into site.url.']
      : []),
    ...(flags.name === undefined
      ? [`The site is called "${site}": it must be unique among all sites and never changes later (--name).`]
      : []),
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

async function accountSql({ database, survey, isContainer }: InitFacts, osclass: OsclassConfig): Promise<string> {
  const { host, port, socketPath } = osclass;
  const isOfMachine = isContainer && database.host === FROM_CONTAINER.host;
  const from = isOfMachine
    ? CONTAINERS
    : (survey?.clientHost ?? (await likelyHost({ host, port: port ?? 3306, socketPath })));
  const needsTrust = survey?.needsTrust === true;
  const { user, password, name: schema } = database;
  const statements = newAccountSql({ user, host: from, password, schema, mode: 'triggers', needsTrust });
  const note =
    from === UNKNOWN_HOST
      ? `-- Put the address of this machine, as the server sees it, in the place of ${from}.\n`
      : '';
  return `-- A database account of its own, with the rights it needs and no others; to be run by an administrator.\n${note}${statements.map((one) => `${one};\n`).join('')}`;
}

/** Root of the site's host, for that is where the samples of deploy/ have the path, wherever below it Osclass lies. */
function peerEntry({ site, url, signingKey }: InitFacts): string {
  const publicKey = publicHalf(signingKey);
  return `
# What each peer has to add to its peers. deploy/nginx.conf and deploy/Caddyfile lead this path to the daemon.
  - name: ${site}
    url: ${new URL(BASE_PATH, url).href}
    # Fingerprint, to be compared by another way than this came: ${fingerprintOf(publicKey)}
    public_key: ${publicKey}
    # Only a peer of version 0.1, which takes no signature, has in the place of public_key an api_key: the site.api_key of this config.
`;
}

/** `https://www.cars.example.com/` → `cars`; undefined for addresses that name no site: numbers, and this machine. */
function siteNameFrom(url: string): string | undefined {
  const { hostname } = new URL(url);
  if (isIP(hostname.replaceAll(/^\[|\]$/g, '')) !== 0 || hostname === 'localhost') return undefined;
  const label = hostname.replace(/^www\./, '').split('.')[0] ?? '';
  const name = withoutOuter(label.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-'), '-').slice(0, 32);
  return name === '' ? undefined : name;
}
