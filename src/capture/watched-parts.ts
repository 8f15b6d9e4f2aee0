/**
 * The tables and columns of the site that are synchronised, remembered from look to look. One that is not there any more may
 * belong to a plugin that was uninstalled, or be hidden, renamed or lost: that is for a person to say. And their definitions:
 * ALTER TABLE changes what is stored, and fires no trigger.
 */
import { createHash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Catalog, Table } from '../db/catalog.ts';
import { readState, readStatesOf, writeState, type StateName } from '../store/state.ts';
import { inTransaction } from '../db/transaction.ts';
import type { HostUsers } from '../osclass/host-users.ts';
import { wantRescan } from './baseline.ts';

/** Names of what is synchronised: `table t_user_description`, `column s_website`, `related table profile`. */
export function watchedParts(catalog: Catalog, hosts: HostUsers): Set<string> {
  const related = new Set<string>(hosts.related.map(({ register }) => register));
  const columns = [...hosts.columns].filter(([register]) => !related.has(register)).flatMap(([, list]) => list);
  return new Set([
    ...['t_user_description', 't_locale']
      .filter((base) => catalog.table(base) !== undefined)
      .map((base) => `table ${base}`),
    ...columns.map(({ name }) => `column ${name}`),
    ...[...related].map((register) => `related table ${register}`),
  ]);
}

/**
 * Remembers what is new, forgets what nobody wants any more, and returns what is missing, in the order of names.
 *
 * @param isWanted whether the config still asks for it
 */
export async function findMissingParts(
  db: Kysely<unknown>,
  present: ReadonlySet<string>,
  isWanted: (part: string) => boolean,
): Promise<string[]> {
  const known = new Set(await readStatesOf(db, 'watched'));
  for (const part of present) if (!known.has(part)) await writeState(db, nameOf(part), part);
  const absent = [...known].filter((part) => !present.has(part));
  for (const part of absent) if (!isWanted(part)) await writeState(db, nameOf(part), null);
  return absent.filter(isWanted).toSorted();
}

/** Forgets parts that are gone for good. */
export async function giveUpParts(db: Kysely<unknown>, parts: readonly string[]): Promise<void> {
  for (const part of parts) await writeState(db, nameOf(part), null);
}

/** Names of columns may have 64 characters of any language. */
function nameOf(part: string): StateName {
  return `watched:${createHash('sha256').update(part).digest('hex').slice(0, 40)}`;
}

/**
 * Makes the next passes look at every user if a table that is synchronised is not defined as it was, or was made again. Asked
 * as often as the host is looked at, so it costs no statement of its own but one.
 */
export async function watchDefinitions(db: Kysely<unknown>, tables: readonly Table[]): Promise<void> {
  const now = createHash('sha256')
    .update(JSON.stringify(tables.map(definitionOf)))
    .digest('hex');
  const before = await readState(db, 'tables_defined');
  if (before === now) return;
  await inTransaction(db, async (trx) => {
    await writeState(trx, 'tables_defined', now);
    // Without an earlier look there is nothing to compare with: the baseline comes, or has just been.
    if (before === undefined || (await readState(trx, 'baseline_finished_at')) === undefined) return;
    await wantRescan(trx);
  });
}

function definitionOf({ name, engine, createdAt, columns }: Table): unknown {
  const list = [...columns.values()].map((column) => [
    column.name,
    column.columnType,
    column.charset,
    column.generated,
  ]);
  return [name, engine, createdAt, list];
}
