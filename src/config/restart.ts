/** Which edits of the config a running daemon cannot take over. */
import { isDeepStrictEqual } from 'node:util';
import type { Config, DatabaseConfig } from './config.ts';

/**
 * The changed keys, as they are named in the file, that need a restart; empty if the new config can be taken over while
 * the daemon runs.
 */
export function restartRequired(old: Config, next: Config): string[] {
  return Object.entries(FIXED).flatMap(([key, of]) => (isDeepStrictEqual(of(old), of(next)) ? [] : [key]));
}

/** The same keys as documents name them: `database.*` for all of that section. */
export function keysThatNeedRestart(): string[] {
  return [...new Set(Object.keys(FIXED).map((key) => (key.startsWith('database.') ? 'database.*' : key)))];
}

const DATABASE: Readonly<Record<keyof DatabaseConfig, string>> = {
  host: 'host',
  port: 'port',
  user: 'user',
  password: 'password',
  name: 'name',
  socketPath: 'socket_path',
  tablePrefix: 'table_prefix',
  ssl: 'ssl',
};

/** Key in the file → its value. */
const FIXED: Readonly<Record<string, (config: Config) => unknown>> = {
  'site.name': (config) => config.site.name,
  ...Object.fromEntries(
    Object.entries(DATABASE).map(([field, key]) => [
      `database.${key}`,
      (config: Config) => config.database[field as keyof DatabaseConfig],
    ]),
  ),
  'http.host': (config) => config.http.host,
  'http.port': (config) => config.http.port,
  'http.base_path': (config) => config.http.basePath,
  'capture.mode': (config) => config.capture.mode,
};
