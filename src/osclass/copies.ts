/** Name and e-mail of a user that Osclass keeps a copy of in listings, comments and saved searches. */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { idsWhere, inChunks } from './ids.ts';

/** What changed. */
export interface ContactChange {
  readonly name?: string;
  readonly email?: string;
}

/** Which column of which table repeats what. */
const COPIES = [
  { table: 't_item', name: 's_contact_name', email: 's_contact_email' },
  { table: 't_item_comment', name: 's_author_name', email: 's_author_email' },
  { table: 't_alerts', name: undefined, email: 's_email' },
] as const;

/**
 * Writes the new name and e-mail into the user's items, comments and saved searches, as Osclass does: all of them,
 * whatever they held. A change of e-mail that waited for this address waits no longer. May be repeated. Rows are found
 * by a plain read and changed by their keys, for `t_alerts` has no index on the user.
 *
 *     UPDATE t_item SET s_contact_name = ?, s_contact_email = ? WHERE pk_i_id IN (…)
 */
export async function copyContact(trx: Runner, catalog: Catalog, userId: number, change: ContactChange): Promise<void> {
  for (const copy of COPIES) {
    const table = catalog.table(copy.table);
    const values = [
      [copy.name, change.name],
      [copy.email, change.email],
    ].flatMap(([name, value]) => {
      const column = name === undefined ? undefined : table?.column(name);
      return column === undefined || value === undefined ? [] : [sql`${id(column.name)} = ${value}`];
    });
    if (table === undefined || values.length === 0) continue;
    await inChunks(await idsWhere(trx, table, 'pk_i_id', 'fk_i_user_id', [userId]), (chunk) =>
      sql`UPDATE ${id(table.name)} SET ${sql.join(values)} WHERE pk_i_id IN (${sql.join(chunk)})`.execute(trx),
    );
  }
  if (change.email !== undefined) await dropEmailChange(trx, catalog, userId, change.email);
}

/** The change of e-mail that waits for its link, to any address or to the one given, waits no longer. */
export async function dropEmailChange(trx: Runner, catalog: Catalog, userId: number, to?: string): Promise<void> {
  const waiting = catalog.table('t_user_email_tmp');
  if (waiting === undefined) return;
  const only = to === undefined ? sql`` : sql`AND s_new_email = ${to}`;
  await sql`DELETE FROM ${id(waiting.name)} WHERE fk_i_user_id = ${userId} ${only}`.execute(trx);
}
