/** What must hold between keys, and what their own descriptions cannot say. */
import { parsePublicKey, parseSigningKey, publicHalf } from '../model/signing-key.ts';
import { mayTravel } from '../model/policy.ts';
import { DESCRIPTION } from '../model/register.ts';
import { ADMIN } from './config.ts';
import type { PathProblem } from './path-problem.ts';
import { KEY_EXPECTED } from './scalar-schemas.ts';
import type { Draft, RawConfig } from './schema.ts';
import { isPlainUrl, isSafeUrl } from './url.ts';

/** Everything that is wrong between keys. Works on what could be read, so that all problems are found at once. */
export function checkAll(config: Draft<RawConfig>): PathProblem[] {
  return [
    ...checkNames(config),
    ...checkKeys(config),
    ...checkPublicKeys(config),
    ...checkEntryKeys(config),
    ...checkUrls(config),
    ...checkColumns(config),
    ...checkGroups(config),
    ...checkPluginKeys(config),
  ];
}

/** Keys that mean nothing to a peer that is a daemon too. */
function checkPluginKeys(config: Draft<RawConfig>): PathProblem[] {
  return (config.peers ?? []).flatMap((peer, index) => {
    if (peer === undefined || peer.protocol === 'plugin') return [];
    const given = (['timezone', 'feed_schedule'] as const).filter((name) => peer[name] !== undefined);
    const message = 'only a peer with "protocol: plugin" takes this';
    return given.map((name) => ({ path: `peers[${index}].${name}`, message }));
  });
}

/** Names that are given twice, and names of peers that are our own. */
function checkNames(config: Draft<RawConfig>): PathProblem[] {
  return [...checkPeerNames(config), ...checkTokenNames(config)];
}

/** Log records say who did what by these names. */
function checkTokenNames(config: Draft<RawConfig>): PathProblem[] {
  const first = new Map([[ADMIN, 'http.admin_token, which goes by that name']]);
  return (config.http?.admin_tokens ?? []).flatMap((one, index) =>
    repeated(first, one?.name, `http.admin_tokens[${index}].name`, 'each token has a name of its own'),
  );
}

function checkPeerNames(config: Draft<RawConfig>): PathProblem[] {
  const first = new Map<string, string>();
  if (config.site?.name !== undefined) first.set(config.site.name, 'site.name');
  return (config.peers ?? []).flatMap((peer, index) => {
    const path = `peers[${index}].name`;
    return repeated(first, peer?.name, path, 'each site has a name of its own');
  });
}

/**
 * Keys that are used twice: two peers could not be told apart, a peer could pass as us, and with an admin token that is
 * a key of a site every other site, which knows that key, could use the admin routes.
 */
function checkKeys(config: Draft<RawConfig>): PathProblem[] {
  const first = new Map<string, string>();
  if (config.site?.api_key !== undefined) first.set(config.site.api_key, 'site.api_key');
  const advice = 'each site and person has a key of its own';
  const token = repeated(first, config.http?.admin_token, 'http.admin_token', advice);
  const tokens = (config.http?.admin_tokens ?? []).flatMap((one, index) =>
    repeated(first, one?.token, `http.admin_tokens[${index}].token`, advice),
  );
  const keys = (config.peers ?? []).flatMap((peer, index) => {
    const path = `peers[${index}].api_key`;
    const key = peer?.api_key;
    if (typeof key === 'string' || key === undefined) return repeated(first, key, path, advice);
    const own = new Set<string | undefined>(); // a key twice in one list was reported when the list was read
    return key.flatMap((one, at) => {
      if (own.has(one)) return [];
      own.add(one);
      return repeated(first, one, `${path}[${at}]`, advice);
    });
  });
  // Several links may have the same: "account-sync check" warns of it.
  const sent = (config.peers ?? []).flatMap((peer, index) => {
    const before = peer?.send_key === undefined ? undefined : first.get(peer.send_key);
    if (before === undefined || before === 'site.api_key') return [];
    return [{ path: `peers[${index}].send_key`, message: `the same as ${before}: ${advice}` }];
  });
  return [...token, ...tokens, ...keys, ...sent];
}

/** Public keys that are given twice, or are our own: who calls could not be told. */
function checkPublicKeys(config: Draft<RawConfig>): PathProblem[] {
  const first = new Map<string, string>();
  const ours = config.site?.signing_key === undefined ? undefined : parseSigningKey(config.site.signing_key);
  if (ours !== undefined) first.set(publicHalf(ours), 'that of site.signing_key');
  // In base64 both halves look alike.
  const isOurs = (text: string): boolean => ours !== undefined && parseSigningKey(text) === ours;
  return (config.peers ?? []).flatMap((peer, index) => {
    const path = `peers[${index}].public_key`;
    const keys = peer?.public_key;
    const isList = typeof keys === 'object';
    return (isList ? keys : [keys]).flatMap((text, at) => {
      const where = isList ? `${path}[${at}]` : path;
      if (text === undefined) return [];
      if (isOurs(text)) return [{ path: where, message: OUR_PRIVATE_KEY }];
      const one = parsePublicKey(text);
      return repeated(first, one, where, 'each site has a key of its own');
    });
  });
}

const OUR_PRIVATE_KEY = 'the private key of site.signing_key: a peer is known by the public half of its own pair';

/** What a peer identifies itself with: a key, or a signature, which the PHP plugin cannot make. */
function checkEntryKeys(config: Draft<RawConfig>): PathProblem[] {
  return (config.peers ?? []).flatMap((peer, index) => {
    if (peer === undefined) return [];
    const path = `peers[${index}]`;
    if (peer.protocol === 'plugin' && peer.public_key !== undefined)
      return [{ path: `${path}.public_key`, message: 'the PHP plugin signs nothing: only a native peer takes this' }];
    const isMissing = !('api_key' in peer) && !('public_key' in peer);
    const message = `missing: expected ${KEY_EXPECTED} here, or api_key_file, or a public_key`;
    return isMissing ? [{ path: `${path}.api_key`, message }] : [];
  });
}

/** Reports a value that was seen before, else remembers where it is. */
function repeated(first: Map<string, string>, value: string | undefined, path: string, advice: string): PathProblem[] {
  if (value === undefined) return [];
  const before = first.get(value);
  if (before !== undefined) return [{ path, message: `the same as ${before}: ${advice}` }];
  first.set(value, path);
  return [];
}

/** URLs with more than a path, and peers whose keys and users would travel in the clear. */
function checkUrls(config: Draft<RawConfig>): PathProblem[] {
  const insecure = config.http?.allow_insecure_peers === true;
  const peers = (config.peers ?? []).flatMap((peer, index) => {
    if (peer?.url === undefined) return [];
    const path = `peers[${index}].url`;
    const plain = checkPlain(path, peer.url);
    return plain.length > 0 || insecure || isSafeUrl(peer.url) ? plain : [{ path, message: IN_THE_CLEAR }];
  });
  return config.site?.url === undefined ? peers : [...checkPlain('site.url', config.site.url), ...peers];
}

const IN_THE_CLEAR = 'expected https:// (http:// is for loopback only, unless http.allow_insecure_peers is true)';

function checkPlain(path: string, url: string): PathProblem[] {
  const message = 'expected a URL without user name, password, query and fragment';
  return isPlainUrl(url) ? [] : [{ path, message }];
}

/** Columns that never travel, whatever the config says, and words that are no columns. */
function checkColumns(config: Draft<RawConfig>): PathProblem[] {
  const lists: [string, unknown][] = [['columns.custom', config.columns?.custom]];
  for (const [index, peer] of (config.peers ?? []).entries()) {
    lists.push([`peers[${index}].columns`, peer?.columns], [`peers[${index}].send_columns`, peer?.send_columns]);
  }
  return lists.flatMap(([path, list]) => {
    if (!Array.isArray(list)) return [];
    return list.flatMap((column: unknown, index) => {
      const message = typeof column === 'string' ? refusalOfColumn(column) : undefined;
      return message === undefined ? [] : [{ path: `${path}[${index}]`, message }];
    });
  });
}

/** Register groups of related tables that share a name with each other or with the descriptions. */
function checkGroups(config: Draft<RawConfig>): PathProblem[] {
  const first = new Map([[DESCRIPTION, 'that of the descriptions']]);
  return (config.related_tables ?? []).flatMap((table, index) => {
    const path = `related_tables[${index}].as`;
    if (table?.as === undefined) return [];
    const before = first.get(table.as);
    first.set(table.as, before ?? `that of related_tables[${index}]`);
    return before === undefined ? [] : [{ path, message: `expected a name other than ${before}` }];
  });
}

function refusalOfColumn(column: string): string | undefined {
  if (!mayTravel(column.toLowerCase())) return `this column never travels (got "${column}")`;
  if (column !== 'default' && column !== 'all') return undefined;
  return `expected the name of a column: "${column}" stands alone, not in a list`;
}
