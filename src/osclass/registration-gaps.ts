/**
 * Accounts that the PHP plugin made on this site lack what Osclass fills at every registration, where the plugin's settings
 * leave the columns out: `s_secret`, which alone guards "delete my account", `s_username`, and `dt_reg_date`.
 */
import { sql, type Kysely } from 'kysely';
import { id, type Column, type Table } from '../db/catalog.ts';
import { bindList } from '../db/bind.ts';
import { asDaemon, inTransaction, type Runner } from '../db/transaction.ts';
import type { Value } from '../model/register.ts';
import type { RandomBytes } from './defaults.ts';
import { holdersOfNames, nameByIds, updateUsers, type UserUpdate } from './write-users.ts';

/** What filling takes. */
export interface GapFillerDeps {
  readonly db: Kysely<unknown>;
  /** `t_user`. */
  readonly table: Table;
  readonly randomBytes: RandomBytes;
  /** The present as local time of the site: `YYYY-MM-DD HH:MM:SS`. */
  readonly now: () => string;
}

/** Accounts in one transaction: the host waits for none of its rows longer than these take. */
const PAGE = 200;

interface Row {
  id: number;
  secret: string | null;
  name: string | null;
  registered: string;
  modified: string | null;
}

/**
 * Gives every account without a secret a random one of its own, those without a user name their id, as Osclass does, and
 * those without a date of registration that of their last edit, or now. What is there is never changed; may be repeated.
 * Returns how many accounts were changed.
 */
export async function fillRegistrationGaps(deps: GapFillerDeps): Promise<number> {
  const { db, table } = deps;
  let [filled, cursor] = [0, 0];
  for (;;) {
    const found = await readGaps(db, table, sql`pk_i_id > ${cursor}`);
    const last = found.at(-1);
    if (last === undefined) return filled;
    cursor = last.id;
    const ids = found.map((row) => row.id);
    filled += await inTransaction(db, (trx) =>
      asDaemon(trx, async () => {
        await sql`SELECT pk_i_id FROM ${id(table.name)} FORCE INDEX (PRIMARY) WHERE pk_i_id IN (${bindList(ids)})
          ORDER BY pk_i_id FOR UPDATE`.execute(trx);
        // Once more, now that nobody can fill them meanwhile.
        const rows = await readGaps(trx, table, sql`pk_i_id IN (${bindList(ids)})`);
        await fill(trx, deps, rows);
        return rows.length;
      }),
    );
  }
}

async function fill(
  trx: Parameters<typeof updateUsers>[0],
  { table, randomBytes, now }: GapFillerDeps,
  rows: readonly Row[],
): Promise<void> {
  const updates = rows.map((row): UserUpdate => {
    const writes = new Map<Column, Value | number>();
    const secret = table.column('s_secret');
    const registered = table.column('dt_reg_date');
    if (secret !== undefined && (row.secret ?? '') === '') {
      writes.set(
        secret,
        Buffer.from(randomBytes(20))
          .toString('hex')
          .slice(0, secret.maxChars ?? undefined),
      );
    }
    if (registered !== undefined && row.registered.startsWith('0000')) writes.set(registered, row.modified ?? now());
    return { userId: row.id, writes };
  });
  await updateUsers(
    trx,
    table,
    updates.filter(({ writes }) => writes.size > 0),
  );
  const nameless = rows.filter(({ name }) => (name ?? '') === '').map((row) => row.id);
  const taken = new Set((await holdersOfNames(trx, table, nameless.map(String))).map(({ name }) => name));
  await nameByIds(
    trx,
    table,
    nameless.filter((userId) => !taken.has(String(userId))),
  );
}

/** `SELECT … FROM t_user WHERE … AND (s_secret IS NULL OR s_secret = '' OR s_username = '' OR dt_reg_date is zero) ORDER BY pk_i_id` */
async function readGaps(runner: Runner, table: Table, which: ReturnType<typeof sql>): Promise<Row[]> {
  const has = (name: string): boolean => table.column(name) !== undefined;
  const gaps = [
    ...(has('s_secret') ? [sql`COALESCE(s_secret, '') = ''`] : []),
    ...(has('s_username') ? [sql`COALESCE(s_username, '') = ''`] : []),
    ...(has('dt_reg_date') ? [sql`CAST(dt_reg_date AS CHAR) LIKE '0000-%'`] : []),
  ];
  if (gaps.length === 0) return [];
  const { rows } = await sql<Row>`
    SELECT pk_i_id AS id, ${has('s_secret') ? sql`s_secret` : sql`'-'`} AS secret,
      ${has('s_username') ? sql`s_username` : sql`'-'`} AS name,
      ${has('dt_reg_date') ? sql`COALESCE(CAST(dt_reg_date AS CHAR), '')` : sql`''`} AS registered,
      ${has('dt_mod_date') ? sql`IF(CAST(dt_mod_date AS CHAR) LIKE '0000-%', NULL, CAST(dt_mod_date AS CHAR))` : sql`NULL`} AS modified
    FROM ${id(table.name)} WHERE ${which} AND (${sql.join(gaps, sql` OR `)}) ORDER BY pk_i_id LIMIT ${PAGE}`.execute(
    runner,
  );
  return rows;
}
