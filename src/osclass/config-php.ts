/**
 * Osclass's config.php, read and never run: the file is parsed, and of what it defines only constants whose value stands in it
 * literally are taken.
 */
import { Engine } from 'php-parser';

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

/** What was read, or the constants that are missing or are not literal. */
export type ReadOsclassConfig = { readonly config: OsclassConfig } | { readonly missing: readonly string[] };

const REQUIRED = ['DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'] as const;

/** Reads the text of a config.php. Throws nothing: of a file that is no PHP everything is missing. */
export function readConfigPhp(text: string): ReadOsclassConfig {
  const constants = constantsIn(text);
  const missing = REQUIRED.filter((name) => !constants.has(name));
  if (missing.length > 0) return { missing };
  const value = (name: string): string => constants.get(name) ?? '';
  // As mysqli's callers write it: host, host:port, host:/path/of/socket or :/path/of/socket.
  const [, host = '', extra] = /^(\[[^\]]*\]|[^:]*|[^:]*:[^:]*:.*?)(?::(\d+|\/.*))?$/.exec(value('DB_HOST')) ?? [];
  const address = value('WEB_PATH');
  return {
    config: {
      host: host === '' ? 'localhost' : host.replace(/^\[|\]$/g, ''),
      port: extra !== undefined && /^\d+$/.test(extra) ? Number(extra) : null,
      socketPath: extra?.startsWith('/') === true ? extra : null,
      user: value('DB_USER'),
      password: value('DB_PASSWORD'),
      name: value('DB_NAME'),
      tablePrefix: constants.get('DB_TABLE_PREFIX') ?? 'oc_',
      url: /^https?:\/\/[^\s/]/i.test(address) ? address.replace(/\/*$/, '/') : null,
    },
  };
}

/** A node of the syntax tree, as far as it is looked at here. */
interface Node {
  readonly kind?: string;
  readonly name?: unknown;
  readonly value?: unknown;
  readonly what?: Node;
  readonly arguments?: readonly Node[];
  readonly constants?: readonly Node[];
  readonly type?: unknown;
  readonly left?: Node;
  readonly right?: Node;
}

/** What stands in these is done at some other time, or never. */
const ELSEWHERE = new Set(['function', 'closure', 'arrowfunc', 'class', 'interface', 'trait']);

/** Constants with literal values, as PHP would have them: the first definition counts. */
function constantsIn(text: string): Map<string, string> {
  const parser = new Engine({ parser: { extractDoc: false, suppressErrors: true }, ast: { withPositions: false } });
  const found = new Map<string, string>();
  const define = (name: unknown, value: Node | undefined): void => {
    const content = literal(value, found);
    if (typeof name === 'string' && content !== undefined && !found.has(name)) found.set(name, content);
  };
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) for (const child of node) walk(child);
    if (!isNode(node) || ELSEWHERE.has(node.kind ?? '')) return;
    if (node.kind === 'call' && /^\\?define$/i.test(String(node.what?.name))) {
      const [name, value] = node.arguments ?? [];
      define(literal(name, found), value);
    }
    if (node.kind === 'constantstatement') {
      for (const { name, value } of node.constants ?? []) define((name as Node).name, value as Node);
    }
    for (const child of Object.values(node)) walk(child);
  };
  try {
    walk(parser.parseCode(text, 'config.php'));
  } catch {
    // Some texts are too broken for the parser to go on.
  }
  return found;
}

function isNode(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

/** A text, a number, texts joined by dots, or a constant that was defined before; else undefined. */
function literal(node: Node | undefined, known: ReadonlyMap<string, string>): string | undefined {
  switch (node?.kind ?? '') {
    case 'string':
    case 'nowdoc':
    case 'number':
      return String(node?.value);
    case 'name':
      return known.get(String(node?.name).replace(/^\\/, ''));
    case 'bin': {
      const [left, right] = [literal(node?.left, known), literal(node?.right, known)];
      return node?.type === '.' && left !== undefined && right !== undefined ? left + right : undefined;
    }
    default:
      return undefined;
  }
}
