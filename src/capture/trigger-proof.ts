/**
 * Whether the site can write with our triggers on its tables, found out without touching a row of it. A trigger runs with the
 * rights of its definer alone, so no look at what a session may do tells; running one does. Our table `probe` is there for
 * that: its trigger has the body and the definer of the others.
 */
import { sql, type Kysely } from 'kysely';
import { id, type Ident } from '../db/catalog.ts';
import { isDefinerMissing, isDenied, isEngineMix } from '../db/failures.ts';
import { SyncError } from '../model/errors.ts';
import { withRightsOfDefiner } from './definer-rights.ts';
import { isProbeMarked, isProbeTriggerVisible } from '../store/queue.ts';

/** What is wrong. */
export interface Flaw {
  readonly error: SyncError;
  /** True: every write of the site fails. False: it passes, and is not marked. */
  readonly stopsSite: boolean;
}

/** Says nothing about triggers; the first also where a busy table lets nobody in. */
const OF_OTHERS = new Set(['DB_CONFLICT', 'DB_UNAVAILABLE', 'DB_READ_ONLY', 'DB_ACCESS_DENIED', 'HOST_CHANGED']);

/**
 * Puts a row into `probe`, looks whether it was marked, and takes both back; then an UPDATE of no row of each of `tables`, for
 * a server may refuse a statement for what is in its triggers before it looks for rows. Undefined: all is well. The session itself
 * must have the rights on our tables. Throws what says nothing about triggers: `DB_UNAVAILABLE`, `DB_CONFLICT`, `DB_READ_ONLY`,
 * `DB_ACCESS_DENIED`, and `HOST_CHANGED` where a table is not there.
 */
export async function findFlaw(
  db: Kysely<unknown>,
  tables: readonly { readonly name: Ident; readonly key: Ident }[],
): Promise<Flaw | undefined> {
  const ofDefiner = await withRightsOfDefiner(db, async (connection) => {
    try {
      return (await isProbeMarked(connection)) ? undefined : unmarked(await account(connection));
    } catch (error) {
      if (!isDenied(error) && !isDefinerMissing(error)) return other(error);
      if (isDenied(error) && (await isProbeTriggerVisible(connection))) return unmarked(await account(connection));
      return { error: refused(error, await account(connection)), stopsSite: true };
    }
  });
  if (ofDefiner !== undefined) return ofDefiner;
  try {
    for (const { name, key } of tables) {
      await sql`UPDATE ${id(name)} SET ${id(key)} = ${id(key)} WHERE 1 = 0`.execute(db);
    }
    return undefined;
  } catch (error) {
    if (!isEngineMix(error)) return other(error);
    const message = error instanceof Error ? error.message : undefined;
    return { error: new SyncError('TRIGGERS_BREAK_WRITES', message, { cause: error }), stopsSite: true };
  }
}

function unmarked(name: string): Flaw {
  const message = `Triggers run as ${name}, with its own rights and not those of its roles; these do not suffice to put markers into the queue (INSERT and SELECT on the database).`;
  return { error: new SyncError('DB_MISSING_RIGHT', message), stopsSite: false };
}

/** An error that may be about our own table or its disk, and not about what the site's writes meet. */
function other(error: unknown): Flaw {
  if (!(error instanceof SyncError) || OF_OTHERS.has(error.code)) throw error;
  return { error, stopsSite: false };
}

function refused(error: unknown, name: string): SyncError {
  const why = error instanceof Error ? `: ${error.message}` : '';
  const message = `Triggers run as ${name}, with its own rights and not those of its roles; these lack TRIGGER on the database, and with triggers every write of the site would fail${why}`;
  return new SyncError('DB_MISSING_RIGHT', message, { cause: error });
}

async function account(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ name: string }>`SELECT CURRENT_USER() AS name`.execute(db);
  return rows[0]?.name ?? '';
}
