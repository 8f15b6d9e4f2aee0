/** Triggers in the database: what is there, what is missing, putting them in and taking them out. */
import { setTimeout as wait } from 'node:timers/promises';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import { ownName, type Catalog, type Ident, type OwnTables } from '../db/catalog.ts';
import { errnoOf } from '../db/failures.ts';
import { isClusterNode, nameNumber } from '../db/galera.ts';
import type { Runner } from '../db/transaction.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { SyncError } from '../model/errors.ts';
import { createTriggerSql, dropTriggerSql, triggerSpecs, type TriggerSpec, type WatchedTable } from './trigger-sql.ts';

/** A trigger of ours that exists. */
export interface FoundTrigger {
  readonly name: Ident;
  readonly purpose: string;
  readonly number: number;
  readonly table: string;
  readonly body: string;
  readonly definer: string;
  /** The mode it runs under, whatever the host's is. */
  readonly sqlMode: string;
}

/** What is wrong with the triggers. All empty: nothing. */
export interface TriggerState {
  /** Not there at all: changes went unmarked. */
  readonly missing: readonly TriggerSpec[];
  /** There, but with another body, another definer than this account, or a mode under which they may fail. */
  readonly outdated: readonly TriggerSpec[];
  /** Ours, but not needed (any more). */
  readonly surplus: readonly FoundTrigger[];
  /** Number for the name of the next trigger made. */
  readonly nextNumber: number;
}

/** How long to wait for a table that others use. */
export interface Patience {
  readonly tries: number;
  /** Between the first two tries; then twice as long each time, up to ten times as long. */
  readonly pauseMs: number;
}

/** Waiting for a table lock freezes everyone behind us, so never longer than this. */
const LOCK_WAIT_S = 1;
/** In between the host works through what has queued up: about a minute in all, a fifth of it frozen. */
const PATIENCE: Patience = { tries: 13, pauseMs: 500 };

const LOCK_WAIT_TIMEOUT = 1205;
const ONE_TRIGGER_PER_EVENT = 1235;
const TRIGGER_EXISTS = 1359;
const LOCK_NOWAIT = 3572;

/** Tables of this site that are watched. */
function watchedTables(catalog: Catalog, related: readonly RelatedTable[]): WatchedTable[] {
  const user = catalog.requireTable('t_user');
  const key = user.column('pk_i_id')?.name;
  const email = user.column('s_email')?.name;
  if (key === undefined || email === undefined) {
    throw new SyncError('HOST_TABLE_MISSING', `The table ${user.name} has no pk_i_id or no s_email.`);
  }
  const description = catalog.table('t_user_description');
  const descriptionKey = description?.column('fk_i_user_id')?.name;
  return [
    { table: user, short: 'user', key, email },
    ...(description === undefined || descriptionKey === undefined
      ? []
      : [{ table: description, short: 'description', key: descriptionKey }]),
    ...related.map(({ table, key: userKey }, index) => ({ table, short: `related${index + 1}`, key: userKey.name })),
  ];
}

/** The triggers this site must have. */
export function requiredTriggers(
  catalog: Catalog,
  own: OwnTables,
  related: readonly RelatedTable[] = [],
): TriggerSpec[] {
  return triggerSpecs(own.queue, watchedTables(catalog, related));
}

/** The name a trigger gets in a first installation. */
export function firstTriggerName(catalog: Catalog, spec: TriggerSpec): Ident {
  return ownName(catalog.prefix, `${spec.purpose}_1`);
}

/** Reads `information_schema.TRIGGERS` and compares body, definer and mode with what must be there. */
export async function inspectTriggers(
  runner: Runner,
  catalog: Catalog,
  own: OwnTables,
  related: readonly RelatedTable[] = [],
): Promise<TriggerState> {
  const found = await findTriggers(runner, catalog);
  const { rows } = await sql<{ account: string }>`SELECT CURRENT_USER() AS account`.execute(runner);
  const account = rows[0]?.account ?? '';
  const missing: TriggerSpec[] = [];
  const outdated: TriggerSpec[] = [];
  const good = new Set<FoundTrigger>();
  for (const spec of requiredTriggers(catalog, own, related)) {
    const present = found.filter((trigger) => trigger.purpose === spec.purpose && trigger.table === spec.table);
    const fit = present.find(
      ({ body, definer, sqlMode }) => squeeze(body) === squeeze(spec.body) && definer === account && sqlMode === '',
    );
    if (fit !== undefined) good.add(fit);
    else (present.length > 0 ? outdated : missing).push(spec);
  }
  return {
    missing,
    outdated,
    surplus: found.filter((trigger) => !good.has(trigger)),
    nextNumber: Math.max(0, ...found.map((trigger) => trigger.number)) + 1,
  };
}

/** True if nothing has to be done. */
export function triggersAreWell(state: TriggerState): boolean {
  return state.missing.length === 0 && state.outdated.length === 0 && state.surplus.length === 0;
}

/**
 * Makes what is missing or outdated, then drops what is surplus (T4: never a moment without). If one cannot be made,
 * those made here are dropped again. Returns what was made. Throws `TABLE_BUSY`, `TRIGGERS_NEED_TRUST`,
 * `TRIGGER_FOREIGN`, `DB_MISSING_RIGHT`.
 */
export async function mendTriggers(
  db: Kysely<unknown>,
  catalog: Catalog,
  state: TriggerState,
  options: DdlOptions = {},
): Promise<TriggerSpec[]> {
  const wanted = [...state.missing, ...state.outdated];
  const made: Ident[] = [];
  // Another daemon may be mending at another node: see rights.ts for what one name would do there.
  const number = (await isClusterNode(db)) ? nameNumber() : state.nextNumber;
  await withDdlSession(db, async (run) => {
    try {
      for (const spec of wanted) {
        const name = ownName(catalog.prefix, `${spec.purpose}_${number}`);
        // Another process that mends at the same time came first: then it is theirs to take back.
        if (await run(createTriggerSql(spec, name), options)) made.push(name);
      }
    } catch (error) {
      for (const name of made) await run(dropTriggerSql(name), { ...options, signal: undefined });
      throw error;
    }
    for (const trigger of state.surplus) await run(dropTriggerSql(trigger.name), options);
  });
  return wanted;
}

/** Drops every trigger of ours; returns how many there were. Throws `TABLE_BUSY`. */
export async function dropTriggers(db: Kysely<unknown>, catalog: Catalog, options: DdlOptions = {}): Promise<number> {
  const found = await findTriggers(db, catalog);
  if (found.length === 0) return 0;
  await withDdlSession(db, async (run) => {
    for (const trigger of found) await run(dropTriggerSql(trigger.name), options);
  });
  return found.length;
}

async function findTriggers(runner: Runner, catalog: Catalog): Promise<FoundTrigger[]> {
  const { rows } = await sql<{ name: string; tab: string; body: string; definer: string; mode: string }>`
    SELECT TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tab, ACTION_STATEMENT AS body, DEFINER AS definer,
      SQL_MODE AS mode
    FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ${catalog.schema}`.execute(runner);
  const start = `${catalog.prefix}account_sync_`;
  return rows.flatMap((row) => {
    const match = row.name.startsWith(start) ? /^([a-z0-9_]+)_(\d+)$/.exec(row.name.slice(start.length)) : null;
    if (match === null) return [];
    const purpose = match[1] as string;
    const number = Number(match[2]);
    const name = ownName(catalog.prefix, `${purpose}_${number}`);
    return [{ name, purpose, number, table: row.tab, body: row.body, definer: row.definer, sqlMode: row.mode }];
  });
}

/** How to go about DDL. */
export interface DdlOptions {
  readonly signal?: AbortSignal | undefined;
  /** About a minute unless given. */
  readonly patience?: Patience | undefined;
}

/** False if what was to be made exists. */
type RunDdl = (statement: string, options: DdlOptions) => Promise<boolean>;

/**
 * One connection with the settings triggers are to be made under: `sql_mode=''`, so that no mode of ours rules the
 * host's writes, and a short `lock_wait_timeout`. The session gets its own settings back whatever happens.
 */
async function withDdlSession(db: Kysely<unknown>, work: (run: RunDdl) => Promise<void>): Promise<void> {
  await db.connection().execute(async (connection) => {
    const { rows } = await sql<{ mode: string; seconds: string }>`
      SELECT @@SESSION.sql_mode AS mode, @@SESSION.lock_wait_timeout AS seconds`.execute(connection);
    const before = rows[0];
    await sql`SET SESSION sql_mode = '', SESSION lock_wait_timeout = ${LOCK_WAIT_S}`.execute(connection);
    try {
      await work((statement, options) => runDdl(connection, statement, options));
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
      const errno = errnoOf(error);
      if (errno === TRIGGER_EXISTS) return false;
      if (errno === ONE_TRIGGER_PER_EVENT) throw new SyncError('TRIGGER_FOREIGN', undefined, { cause: error });
      if (errno !== LOCK_WAIT_TIMEOUT && errno !== LOCK_NOWAIT) throw error;
      if (attempt >= patience.tries) throw new SyncError('TABLE_BUSY', undefined, { cause: error });
      const pauseMs = patience.pauseMs * Math.min(2 ** (attempt - 1), 10);
      await wait(pauseMs, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** White space in a stored body may differ from what was sent. */
function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
