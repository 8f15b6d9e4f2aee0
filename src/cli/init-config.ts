/** The text of a new config.yaml. Pure. */
import type { DatabaseConfig } from '../config/config.ts';
import { parseConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { isSafeUrl } from '../config/url.ts';
import type { SigningKey } from '../model/signing-key.ts';
import type { Survey } from '../osclass/survey.ts';
import type { InstalledPlugin, PluginAccount } from '../plugin/installed.ts';

/** All that goes into it. */
export interface InitFacts {
  readonly site: string;
  readonly url: string;
  readonly database: DatabaseConfig;
  readonly apiKey: string;
  /** Secret; stands in {@link SIGNING_KEY_FILE}. */
  readonly signingKey: SigningKey;
  readonly adminToken: string;
  /** Undefined: the database could not be looked at. */
  readonly survey: Survey | undefined;
  readonly plugin: InstalledPlugin | undefined;
  /** The daemon will run in a container. */
  readonly isContainer: boolean;
}

/** The path under which the samples of deploy/ lead peers to the daemon. */
export const BASE_PATH = '/account-sync/';

/** Holds the signing key, beside the config. */
export const SIGNING_KEY_FILE = 'signing.key';

/** A text, and what in it a person has to look at. */
export interface Rendered {
  readonly text: string;
  readonly remarks: readonly string[];
}

/** One peer in the file. */
interface Entry {
  readonly text: string;
  /** False: a comment. */
  readonly isLive: boolean;
}

/** What the config allows. */
const MOST_USERS = 10_000;

/** What may be a secret, or is a person's consent: such columns travel only when somebody wants it. */
const DOUBTFUL = /pass|secret|token|key|hash|code|gdpr|consent|_ip$|^i_/i;

/** A config that loads; of what would not load, a comment is left, and a remark. */
export function renderConfig(facts: InitFacts): Rendered {
  const remarks: string[] = [];
  const entries: Entry[] = [];
  for (const account of facts.plugin?.accounts ?? []) {
    const entry = { text: pluginEntry(account), isLive: true };
    const problem = problemOf(textOf(facts, [...entries, entry]), facts);
    if (problem === undefined) entries.push(entry);
    else {
      remarks.push(`The plugin's account "${account.name}" is only a comment: ${problem}`);
      entries.push({ text: commented(`${problem}\n${entry.text}`), isLive: false });
    }
  }
  return { text: textOf(facts, entries), remarks };
}

function textOf(
  { site, url, database, apiKey, adminToken, survey, plugin, isContainer }: InitFacts,
  entries: readonly Entry[],
): string {
  const isInsecure = (plugin?.accounts ?? []).some((account) => URL.canParse(account.url) && !isSafeUrl(account.url));
  const live = entries.some((entry) => entry.isLive);
  return `# What this site needs; every other key has a default, and config.example.yaml explains them all. This file holds secrets:
# keep it readable for the daemon alone. An edit is taken over while the daemon runs, but for the keys that say otherwise.

site:
  # Unique among all sites, and never changed later: it is part of every stamp. A change needs a restart.
  name: ${scalar(site)}
  url: ${scalar(url)}
  # Signs the calls to peers, which have its public half as the public_key of their entry for ${site}.
  signing_key_file: ${SIGNING_KEY_FILE}
  # For peers that take no signature: those with the PHP plugin, and older versions. They have it as the api_key of their entry.
  api_key: ${scalar(apiKey)}
${zoneLines(survey)}
# ${survey === undefined ? 'Not looked at.' : `${survey.server}, ${survey.collation}.`} A change of anything here needs a restart.
database:
  host: ${scalar(database.host)}
${database.socketPath === null ? `  port: ${database.port}` : `  socket_path: ${scalar(database.socketPath)}`}
  user: ${scalar(database.user)}
  password: ${scalar(database.password)}
  name: ${scalar(database.name)}
  table_prefix: ${scalar(database.tablePrefix)}

http:
  # Peers come here through your reverse proxy, over HTTPS: deploy/nginx.conf and deploy/Caddyfile fit these lines as they
  # stand. A change of host, port or base_path needs a restart.
${isContainer ? IN_CONTAINER : ON_MACHINE}  port: 8470
  base_path: ${BASE_PATH}
  # Addresses of the proxies that say who calls${isContainer ? ': put the address of yours here, for true believes any that is not public' : ''}.
  trust_proxy: ${isContainer ? 'true' : "[127.0.0.1, '::1']"}
  # Opens the admin routes of the HTTP API.
  admin_token: ${scalar(adminToken)}
${isInsecure ? '  # A peer below has an http:// address: keys and personal data travel in the clear. Better give it HTTPS.\n  allow_insecure_peers: true\n' : ''}
${columnLines(survey)}${limitLines(plugin)}# The other sites.
peers:${live ? '' : ' []'}
${[...entries.map(({ text }) => text), ...(live ? [] : [EXAMPLE])].join('\n')}`;
}

const ON_MACHINE = '  host: 127.0.0.1\n';
const IN_CONTAINER = `  # Of the container: publish the port to the machine alone, with -p 127.0.0.1:8470:8470.
  host: 0.0.0.0
`;

const EXAMPLE = `  # - name: homes                       # its site.name
  #   url: https://homes.example.com/account-sync/
  #   public_key: ...                   # what its operator got from "account-sync init" or "account-sync key --pair"
`;

function zoneLines(survey: Survey | undefined): string {
  const why = "IANA zone of the site's DATETIME values.";
  if (survey === undefined || survey.timezone === null) {
    return `  # ${why} Osclass states none: set it, or times travel as they are.\n  # timezone: Europe/Berlin\n`;
  }
  return `  # ${why} Osclass's own preference counts: ${survey.timezone}\n  # timezone: ${survey.timezone}\n`;
}

function columnLines(survey: Survey | undefined): string {
  const all = (survey?.customColumns ?? []).map((name) => [name, DOUBTFUL.test(name)] as const);
  if (all.length === 0) return '';
  const live = all.filter(([, isDoubtful]) => !isDoubtful).map(([name]) => scalar(name));
  const left = all.filter(([, isDoubtful]) => isDoubtful).map(([name]) => name);
  const rest =
    left.length === 0 ? '' : `  # Left out, for they may be secrets or mean something only here: ${left.join(', ')}\n`;
  return `columns:
  # Columns of t_user that are not Osclass's own. Take out what is not to travel.
${rest}  custom: [${live.join(', ')}]

`;
}

function limitLines(plugin: InstalledPlugin | undefined): string {
  if (plugin === undefined) return '';
  return `# Most users asked for, or served, in one call: the limit of the PHP plugin. Sites with daemons do well with 1000.
feed:
  limit: ${Math.min(plugin.feedLimit, MOST_USERS)}

`;
}

function pluginEntry({ name, peerName, url, apiKey, columns, lastUserId }: PluginAccount): string {
  const list = typeof columns === 'string' ? '' : `    columns: [${columns.map(scalar).join(', ')}]\n`;
  const cursor = `# Fed up to its user ${lastUserId}; "account-sync feed ${peerName}" starts over, to learn what it has by now.`;
  return `  # "${name.replaceAll(/[\r\n]+/g, ' ')}" in the PHP plugin. Once account-sync runs there: another url, its public_key, and without protocol.
  ${cursor}
  - name: ${peerName}
    url: ${scalar(url)}
    api_key: ${scalar(apiKey)}
    protocol: plugin
    # The plugin matched accounts by nothing but their address, so those of both sites are one already. It cannot tell who proved an
    # address: whoever registers there with somebody's address, and is active, gets that account here. To end that: unproven.
    email_trust: verified
    # It sends nothing twice: everybody there is asked for again within this time.
    feed_schedule: 24h
${list}`;
}

/** The first problem of a config; undefined: it loads. */
function problemOf(text: string, { signingKey }: InitFacts): string | undefined {
  try {
    parseConfig(text, 'config.yaml', {}, () => signingKey);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path.replace(/^peers\[\d+\]\./, '')}: ${message}`)[0];
  }
}

function commented(text: string): string {
  const lines = text.trimEnd().split('\n');
  return `${lines.map((line) => `  # ${line.replace(/^ {2}/, '')}`).join('\n')}\n`;
}

/** As YAML: plain where that is safe, else in double quotes; `${` is not to be read from the environment. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9_]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off)$/.test(text)
    ? text
    : JSON.stringify(text.replaceAll('${', () => '$${'));
}
