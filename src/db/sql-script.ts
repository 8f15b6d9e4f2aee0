/** The files in `sql/`: found, read, and cut into statements. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SyncError } from '../model/errors.ts';
import { ownName } from './own-tables.ts';

/** One file of `sql/`. */
export interface Migration {
  readonly id: number;
  /** Name of the file. */
  readonly name: string;
  /** In order, with the site's prefix, without the closing semicolon. Each can be run again. */
  readonly statements: readonly string[];
}

/** All migrations for a site with this table prefix, in order of their numbers. Reads the disk. */
export function readMigrations(prefix: string, folder: string = sqlFolder()): Migration[] {
  const names = readdirSync(folder).filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name));
  return names.toSorted().map((name) => ({
    id: Number(name.slice(0, 4)),
    name,
    statements: statementsOf(readFileSync(path.join(folder, name), 'utf8')).map((text) => withPrefix(text, prefix)),
  }));
}

/**
 * Cuts a script at its semicolons, outside of quotes and comments. Comments (`-- …` to the end of the line) that stand
 * before a statement are dropped. Knows no `DELIMITER`.
 */
export function statementsOf(script: string): string[] {
  const token = /--[ \t][^\n]*|'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|;|[^;'"`-]+|-/gs;
  const statements: string[] = [];
  let current = '';
  for (const [part] of script.replaceAll(/^[ \t]*--[ \t].*$/gm, '').matchAll(token)) {
    if (part === ';') {
      statements.push(current.trim());
      current = '';
    } else {
      current += part;
    }
  }
  statements.push(current.trim());
  return statements.filter((statement) => statement !== '');
}

/** `{p}queue` → `` `oc_account_sync_queue` ``: quoted, since a prefix may begin with a digit. */
function withPrefix(statement: string, prefix: string): string {
  return statement.replaceAll(/\{p\}([a-z0-9_]+)/g, (_, purpose: string) => `\`${ownName(prefix, purpose)}\``);
}

/** Beside `src/` as beside `dist/`. */
function sqlFolder(): string {
  for (let at = import.meta.dirname; at !== path.dirname(at); at = path.dirname(at)) {
    const folder = path.join(at, 'sql');
    if (existsSync(folder) && existsSync(path.join(at, 'package.json'))) return folder;
  }
  throw new SyncError('INTERNAL', 'The folder sql/ of account-sync was not found beside its package.json.');
}
