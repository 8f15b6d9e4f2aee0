/** Config file → checked config, or every problem in it with its place. */
import { readFileSync } from 'node:fs';
import { readFile as readFileBytes } from 'node:fs/promises';
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { checkAll } from './checks.ts';
import type { Config } from './config.ts';
import { ConfigError, type Problem } from './problem.ts';
import { readNode } from './read-tree.ts';
import { type ReadFile, type ConfigReading, spotOf } from './reading.ts';
import { resolveConfig } from './resolve.ts';
import { configSchema, type Draft, type RawConfig } from './schema.ts';
import { isFileDenied, whyUnreadable } from './unreadable.ts';
import { parseYaml, type YamlSource } from './yaml-source.ts';

/** The image sets it: its loopback is reached by nobody else. */
const HTTP_HOST = 'ACCOUNT_SYNC_HTTP_HOST';

/** A config and the files it came from. */
export interface LoadedConfig {
  readonly config: Config;
  /** The path of the config file as it was given. */
  readonly file: string;
  /** Files that `_file` keys named: a change of one of them is a change of the config. */
  readonly secretFiles: readonly string[];
  /** A secret stands in the config file itself. */
  readonly holdsSecrets: boolean;
  /** Something said of a key, with its place in the file. */
  readonly problemAt: (path: string, message: string) => Problem;
}

/**
 * Reads and checks a config file. May be repeated at any time; nothing is remembered.
 * @throws ConfigError with all problems at once, also where the file cannot be read
 */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv): Promise<LoadedConfig> {
  let text: string;
  try {
    text = decode(await readFileBytes(file));
  } catch (error) {
    const advice = isFileDenied(error)
      ? '; give it to the account that runs account-sync (chown)'
      : '; write one with "account-sync init" or name another with --config';
    throw fileError(file, `cannot be read: ${whyUnreadable(error)}${advice}`, error);
  }
  // Secrets are a few short files; reading them at once keeps everything below free of waiting.
  return parseConfig(text, file, env, (path) => decode(readFileSync(path)));
}

/**
 * Checks the text of a config file; `file` names it in problems, and relative `_file` paths start from its folder.
 * @throws ConfigError with all problems at once; nothing else
 */
export function parseConfig(
  text: string,
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  readFile: ReadFile,
): LoadedConfig {
  const source = parseYaml(text);
  const problems: Problem[] = [];
  const report: ConfigReading['report'] = (place, path, message) => {
    problems.push({ file, ...place, path, message });
  };

  for (const error of source.errors) report(error.place, '', error.message);
  if (problems.length > 0) throw new ConfigError(problems);

  const root = rootOf(source, file);
  const reading: ConfigReading = {
    file,
    source,
    env,
    readFile,
    spots: new Map(),
    secretFiles: new Set(),
    plainSecrets: new Set(),
    report,
  };
  const at = { path: '', keyPlace: { line: 1, column: 1 } };
  const raw = readNode(reading, root, configSchema, at) as Draft<RawConfig>;

  const reported = new Set(problems.map((problem) => problem.path));
  for (const { path, message } of checkAll(raw)) {
    const spot = spotOf(reading, path);
    if (!reported.has(spot.path)) report(spot.place, spot.path, message);
    reported.add(spot.path);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const problemAt = (path: string, message: string): Problem => {
    const spot = spotOf(reading, path);
    return { file, ...spot.place, path: spot.path, message };
  };
  const host = reading.spots.has('http.host') ? undefined : env[HTTP_HOST];
  const config = resolveConfig(raw as RawConfig);
  return {
    config: host === undefined ? config : { ...config, http: { ...config.http, host } },
    file,
    secretFiles: [...reading.secretFiles],
    holdsSecrets: reading.plainSecrets.size > 0,
    problemAt,
  };
}

function rootOf(source: YamlSource, file: string): Node {
  const root: Node | null = source.document.contents;
  if (isMap(root)) return root;
  if (root === null || (isScalar(root) && root.value === null))
    throw fileError(file, 'is empty; write a config with "account-sync init"');
  const found = isSeq(root) ? 'a list' : 'a single value';
  const message = `expected a mapping with site, database and peers (got ${found})`;
  throw new ConfigError([{ file, ...source.placeOf(root), path: '', message }]);
}

function fileError(file: string, message: string, cause?: unknown): ConfigError {
  const error = new ConfigError([{ file, line: null, column: null, path: '', message }]);
  if (cause !== undefined) error.cause = cause;
  return error;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}
