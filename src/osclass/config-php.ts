/**
 * Osclass's config.php, read and never run: the file is parsed, and of what it defines only constants whose value stands in it
 * literally are taken.
 */
import { isIPv6 } from 'node:net';
import { chooseValues, definitionsIn, type Definition } from './php-constants.ts';
import { withoutTrailing } from '../model/trim-text.ts';

/** What Osclass says of its database and address. */
export interface OsclassConfig {
  readonly host: string;
  /** Null: the default port. */
  readonly port: number | null;
  readonly socketPath: string | null;
  readonly user: string;
  /** Secret. */
  readonly password: string;
  readonly name: string;
  readonly tablePrefix: string;
  /** Address of the site with a final slash; null if it does not say. */
  readonly url: string | null;
}

/** A set of values that holds under some condition, which only PHP can tell. */
export interface Branch {
  /** Where its first definition stands: what {@link readConfigPhp} takes as `line`. */
  readonly line: number;
  /** What it defines, as far as it is of use here; null: not literally. Holds no password. */
  readonly values: Readonly<Record<string, string | null>>;
}

/** What was read; or the constants that are missing or are not literal; or the sets of values of which one has to be chosen. */
export type ReadOsclassConfig =
  | { readonly config: OsclassConfig; readonly remarks: readonly string[] }
  | { readonly missing: readonly string[] }
  | { readonly branches: readonly Branch[] }
  /** The line that was named defines nothing of use; these do. */
  | { readonly lines: readonly number[] };

const REQUIRED = ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'] as const;
const OPTIONAL = ['DB_TABLE_PREFIX', 'WEB_PATH'] as const;
const WANTED: readonly string[] = [...REQUIRED, ...OPTIONAL];

/**
 * Reads the text of a config.php. Throws nothing: of a file that is no PHP everything is missing.
 *
 * @param line of the {@link Branch} that holds, where there are several
 */
export function readConfigPhp(text: string, line?: number): ReadOsclassConfig {
  const { definitions, includes } = definitionsIn(text);
  const lines = definitions.filter(({ name }) => WANTED.includes(name)).map((one) => one.line);
  if (line !== undefined && !lines.includes(line)) return { lines: [...new Set(lines)] };
  const chosen = chooseValues(definitions, WANTED, line);
  if ('branches' in chosen) {
    const branches = chosen.branches.map(({ line: at, values }) => ({ line: at, values: withoutPassword(values) }));
    return { branches };
  }
  const constants = chosen.values;
  const missing = REQUIRED.filter((name) => typeof constants.get(name) !== 'string');
  if (missing.length > 0) return { missing };
  const value = (name: string): string => constants.get(name) ?? '';
  const address = value('WEB_PATH');
  return {
    config: {
      ...placeOf(value('DB_HOST')),
      user: value('DB_USER'),
      password: value('DB_PASSWORD'),
      name: value('DB_NAME'),
      tablePrefix: constants.get('DB_TABLE_PREFIX') ?? 'oc_',
      url: /^https?:\/\/[^\s/]/i.test(address) ? `${withoutTrailing(address, '/')}/` : null,
    },
    remarks: remarksOn(constants, definitions, includes),
  };
}

/**
 * As mysqli's callers write it: host, host:port, host:/path/of/socket, host:port:/path or :/path; `p:` before it asks for a
 * connection that is kept, `unix:` for a socket.
 */
function placeOf(written: string): Pick<OsclassConfig, 'host' | 'port' | 'socketPath'> {
  const text = written
    .trim()
    .replace(/^p:/i, '')
    .replace(/^unix:(?=\/)/i, ':');
  if (isIPv6(text)) return { host: text, port: null, socketPath: null };
  const [, host = '', port, socket] = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?(?::?(\/.*))?$/.exec(text) ?? [text, text];
  const bare = host.replace(/^\[|\]$/g, '');
  return {
    host: bare === '' || bare.toLowerCase() === 'localhost' ? 'localhost' : bare,
    port: port === undefined ? null : Number(port),
    socketPath: socket ?? null,
  };
}

function remarksOn(
  constants: ReadonlyMap<string, string | null>,
  definitions: readonly Definition[],
  includes: readonly number[],
): string[] {
  const remarks = OPTIONAL.filter((name) => constants.get(name) === null).map(
    (name) =>
      `config.php does not say ${name} literally: check ${name === 'WEB_PATH' ? 'site.url' : 'database.table_prefix'}.`,
  );
  const first = Math.min(...definitions.filter(({ name }) => WANTED.includes(name)).map((one) => one.line));
  const before = includes.filter((line) => line <= first);
  if (before.length === 0) return remarks;
  return [
    ...remarks,
    `config.php takes in another file at line ${before[0]}, whose definitions would come first and are not seen here: check database.*.`,
  ];
}

function withoutPassword(values: ReadonlyMap<string, string | null>): Record<string, string | null> {
  return Object.fromEntries([...values].filter(([name]) => name !== 'DB_PASSWORD'));
}
