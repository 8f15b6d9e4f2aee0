/** Statements that make and drop triggers: under what settings, and how long they wait. */
import { setTimeout as wait } from 'node:timers/promises';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import { isLockWaitOver, isTriggerLimitReached, isTriggerThere } from '../db/failures.ts';
import { SyncError } from '../model/errors.ts';

/** How long to wait for a table that others use. */
export interface Patience {
  readonly tries: number;
  /** Between the first two tries; then twice as long each time, up to ten times as long. */
  readonly pauseMs: number;
}

/** How to go about DDL. */
export interface DdlOptions {
  readonly signal?: AbortSignal | undefined;
  /** About a minute unless given. */
  readonly patience?: Patience | undefined;
}

/** Runs one statement. False if what was to be made exists. Throws `TABLE_BUSY`, `TRIGGER_FOREIGN`. */
export type RunDdl = (statement: string, options: DdlOptions) => Promise<boolean>;

/** Waiting for a table lock freezes everyone behind us, so never longer than this. */
const LOCK_WAIT_S = 1;
/** In between the host works through what has queued up: about a minute in all, a fifth of it frozen. */
const PATIENCE: Patience = { tries: 13, pauseMs: 500 };

/**
 * One connection with the settings triggers are to be made under: `sql_mode=''`, so that no mode of ours rules the
 * host's writes, and a short `lock_wait_timeout`. `work` may use the connection for other statements. The session gets its own settings back whatever happens.
 */
export async function withDdlSession(
  db: Kysely<unknown>,
  work: (run: RunDdl, connection: Kysely<unknown>) => Promise<void>,
): Promise<void> {
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mode: string; seconds: string }>`
      SELECT @@SESSION.sql_mode AS mode, @@SESSION.lock_wait_timeout AS seconds`.execute(connection);
    const before = rows[0];
    await sql`SET SESSION sql_mode = '', SESSION lock_wait_timeout = ${LOCK_WAIT_S}`.execute(connection);
    try {
      await work((statement, options) => runDdl(connection, statement, options), connection);
    } finally {
      await sql`SET SESSION sql_mode = ${before?.mode ?? ''},
        SESSION lock_wait_timeout = ${Number(before?.seconds ?? LOCK_WAIT_S)}`.execute(connection);
    }
  });
}

async function runDdl(
  connection: Kysely<unknown>,
  statement: string,
  { signal, patience = PATIENCE }: DdlOptions,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      await connection.executeQuery(CompiledQuery.raw(statement));
      return true;
    } catch (error) {
      if (isTriggerThere(error)) return false;
      if (isTriggerLimitReached(error)) throw new SyncError('TRIGGER_FOREIGN', undefined, { cause: error });
      if (!isLockWaitOver(error)) throw error;
      if (attempt >= patience.tries) throw new SyncError('TABLE_BUSY', undefined, { cause: error });
      const pauseMs = patience.pauseMs * Math.min(2 ** (attempt - 1), 10);
      await wait(pauseMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}
