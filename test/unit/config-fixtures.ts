/** What config tests share: an environment, files of secrets, and the folder of the fixtures. */
import { readFileSync } from 'node:fs';

/** Variables that the fixtures name. */
export const ENV: Readonly<Record<string, string>> = {
  CARS_API_KEY: 'cars-key-of-32-characters-hunter2',
  HOMES_API_KEY: 'homes-key-of-33-characters-hunter2',
  DB_PASSWORD: 'hunter2',
  SHORT: 'hunter2',
};

const FILES: Readonly<Record<string, string>> = {
  '/run/secrets/key': 'file-key-hunter2-0123456789\n',
  '/run/secrets/other': 'other-key-hunter2-0123456789\r\n',
  '/run/secrets/short': 'hunter2\n',
  '/run/secrets/ca': '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
};

/** Stands for the file system. */
export function readSecret(path: string): string {
  const content = FILES[path];
  if (content !== undefined) return content;
  const code = path.endsWith('denied') ? 'EACCES' : 'ENOENT';
  throw Object.assign(new Error(`${code}: cannot open ${path}`), { code });
}

/** The text of a fixture. */
export function fixture(name: string): string {
  return readFileSync(new URL(`../fixtures/config/${name}`, import.meta.url), 'utf8');
}

/** Where the fixtures are. */
export const BROKEN = new URL('../fixtures/config/broken/', import.meta.url);
