/** Who has an address on this site, as its collation compares addresses. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import { id, type Ident } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { canonicalEmail } from '../model/uid.ts';

/** Who has an address on this site. */
export interface AddressHolder {
  readonly id: number;
  /** As stored. */
  readonly email: string;
}

/**
 * Who holds each of the addresses; an exact match comes first. What nobody holds is not in it.
 * `SELECT pk_i_id, s_email FROM t_user WHERE s_email IN (…)`
 */
export async function findHolders(
  runner: Runner,
  table: Ident,
  emails: readonly string[],
): Promise<Map<string, AddressHolder>> {
  const holders = new Map<string, AddressHolder>();
  if (emails.length === 0) return holders;
  const rows = await withAddress(runner, table, new Set(emails.flatMap(spellings)));
  const exact = new Map(rows.map((row) => [canonicalEmail(row.email), row]));
  for (const email of emails) {
    const holder = exact.get(canonicalEmail(email));
    if (holder !== undefined) holders.set(email, holder);
  }
  if (holders.size === rows.length) return holders;
  // The collation folds an address of ours into one that was asked for: ask one by one which.
  for (const email of emails.filter((one) => !holders.has(one))) {
    const [twin] = await withAddress(runner, table, spellings(email));
    if (twin !== undefined) holders.set(email, twin);
  }
  return holders;
}

async function withAddress(runner: Runner, table: Ident, emails: Iterable<string>): Promise<AddressHolder[]> {
  const { rows } = await sql<AddressHolder>`
    SELECT pk_i_id AS id, s_email AS email FROM ${id(table)}
    WHERE s_email IN (${bindList(emails)})`.execute(runner);
  return rows;
}

/** An address as it came and in its canonical form: no collation overlooks blanks in front. */
function spellings(email: string): string[] {
  const canonical = canonicalEmail(email);
  return canonical === email ? [email] : [email, canonical];
}
