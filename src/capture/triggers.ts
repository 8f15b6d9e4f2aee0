/** Triggers in the database: what is there, what is missing, putting them in and taking them out. */
import { sql, type Kysely } from 'kysely';
import type { Catalog, Ident } from '../db/catalog.ts';
import { isClusterNode, nameNumber } from '../db/galera.ts';
import { remakeTable } from '../db/migrate.ts';
import type { Runner } from '../db/transaction.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { SyncError } from '../model/errors.ts';
import { withDdlSession, type DdlOptions } from './ddl-session.ts';
import { findOrphans, findTriggers, type Belonging, type FoundTrigger } from './found-triggers.ts';
import { findFlaw } from './trigger-proof.ts';
import {
  createTriggerSql,
  dropTriggerSql,
  probeSpec,
  triggerSpecs,
  type TriggerSpec,
  type WatchedTable,
} from './trigger-sql.ts';
import { own, ownName } from '../db/own-tables.ts';

/** What is wrong with the triggers. All empty: nothing. */
export interface TriggerState {
  /** Not there at all, or marking elsewhere: changes went unmarked. */
  readonly missing: readonly TriggerSpec[];
  /** There, but with another body, another definer than this account, or a mode under which they may fail. */
  readonly outdated: readonly TriggerSpec[];
  /** The one on our own table `probe`, if it is not as it should be. */
  readonly probe: TriggerSpec | undefined;
  /** Ours, but not needed (any more). */
  readonly surplus: readonly FoundTrigger[];
  /** All of ours that are there. */
  readonly found: readonly FoundTrigger[];
  /** Tables of the site that are watched. */
  readonly tables: readonly { readonly name: Ident; readonly key: Ident }[];
  /** Number for the name of the next trigger made. */
  readonly nextNumber: number;
}

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
  const moves = catalog.table('t_user_email_tmp');
  const movesKey = moves?.column('fk_i_user_id')?.name;
  return [
    { table: user, short: 'user', key, email },
    ...(description === undefined || descriptionKey === undefined
      ? []
      : [{ table: description, short: 'description', key: descriptionKey }]),
    ...(moves === undefined || movesKey === undefined
      ? []
      : [{ table: moves, short: 'email', key: movesKey, isOfMoves: true }]),
    ...related.map(({ table, key: userKey }, index) => ({ table, short: `related${index + 1}`, key: userKey.name })),
  ];
}

/** The triggers this site must have on its tables. */
export function requiredTriggers(catalog: Catalog, related: readonly RelatedTable[] = []): TriggerSpec[] {
  return triggerSpecs(ownName(catalog.prefix, 'queue'), watchedTables(catalog, related));
}

/** The one on our own table `probe`. */
export function probeTrigger({ prefix }: Pick<Catalog, 'prefix'>): TriggerSpec {
  return probeSpec(ownName(prefix, 'queue'), ownName(prefix, 'probe'));
}

/** The name a trigger gets in a first installation. */
export function firstTriggerName(catalog: Catalog, spec: TriggerSpec): Ident {
  return ownName(catalog.prefix, `${spec.purpose}_1`);
}

/** Reads `information_schema.TRIGGERS` and compares body, definer and mode with what must be there. */
export async function inspectTriggers(
  runner: Runner,
  catalog: Catalog,
  related: readonly RelatedTable[] = [],
): Promise<TriggerState> {
  const found = await findTriggers(runner, belonging(catalog, related));
  const { rows } = await sql<{ account: string }>`SELECT CURRENT_USER() AS account`.execute(runner);
  const account = rows[0]?.account ?? '';
  const missing: TriggerSpec[] = [];
  const outdated: TriggerSpec[] = [];
  const good = new Set<FoundTrigger>();
  /** False: nothing there marks, or not in our queue. Undefined: something does, but not as it should. */
  const isFit = (spec: TriggerSpec): boolean | undefined => {
    const present = found.filter(({ table, event }) => table === spec.table && event === spec.event);
    const fit = present.find(
      ({ body, definer, sqlMode, timing }) =>
        squeeze(body ?? '') === squeeze(spec.body) && definer === account && sqlMode === '' && timing === 'AFTER',
    );
    if (fit !== undefined) good.add(fit);
    if (fit !== undefined) return true;
    return present.some(({ queue }) => queue === ownName(catalog.prefix, 'queue')) ? undefined : false;
  };
  for (const spec of requiredTriggers(catalog, related)) {
    const fit = isFit(spec);
    if (fit !== true) (fit === undefined ? outdated : missing).push(spec);
  }
  const probe = probeTrigger(catalog);
  return {
    missing,
    outdated,
    found,
    probe: isFit(probe) === true ? undefined : probe,
    surplus: found.filter((trigger) => !good.has(trigger)),
    tables: tablesWatched(catalog, related),
    nextNumber: Math.max(0, ...found.map((trigger) => trigger.number ?? 0)) + 1,
  };
}

/** Tables of the site that are watched, and the column of each that holds the user's id. */
export function tablesWatched(catalog: Catalog, related: readonly RelatedTable[]): { name: Ident; key: Ident }[] {
  return watchedTables(catalog, related).map(({ table, key }) => ({ name: table.name, key }));
}

/** True if nothing has to be done. */
export function triggersAreWell(state: TriggerState): boolean {
  const { missing, outdated, probe, surplus } = state;
  return missing.length === 0 && outdated.length === 0 && probe === undefined && surplus.length === 0;
}

/**
 * Makes what is missing or outdated, then drops what is surplus (T4: never a moment without). The one on our own table comes
 * first, and is run: only if it does what it should, the tables of the site get theirs. If one cannot be made, those made here
 * are dropped again; if with them the site could not write, all are. Returns what was made on tables of the site. Throws
 * `TABLE_BUSY`, `TRIGGERS_NEED_TRUST`, `TRIGGER_FOREIGN`, `DB_MISSING_RIGHT`, `TRIGGERS_BREAK_WRITES`.
 */
export async function repairTriggers(
  db: Kysely<unknown>,
  catalog: Catalog,
  state: TriggerState,
  options: DdlOptions = {},
): Promise<TriggerSpec[]> {
  const wanted = [...state.missing, ...state.outdated];
  const made: Ident[] = [];
  // Another daemon may be repairing at another node: see rights.ts for what one name would do there.
  const number = (await isClusterNode(db)) ? nameNumber() : state.nextNumber;
  const [probes, surplus] = parted(state.surplus, ({ table }) => table === ownName(catalog.prefix, 'probe'));
  let stopsSite = false;
  await withDdlSession(db, async (run, connection) => {
    const make = async (spec: TriggerSpec): Promise<void> => {
      const name = ownName(catalog.prefix, `${spec.purpose}_${number}`);
      // Another process that repairs at the same time came first: then it is theirs to take back.
      if (await run(createTriggerSql(spec, name), options)) made.push(name);
    };
    const prove = async (tables: TriggerState['tables']): Promise<void> => {
      const flaw = await findFlaw(connection, tables);
      if (flaw === undefined) return;
      stopsSite = flaw.stopsSite;
      throw flaw.error;
    };
    try {
      if (state.probe !== undefined) {
        await remakeTable(connection, catalog.prefix, own.probe);
        await make(state.probe);
      }
      for (const { name } of probes) await run(dropTriggerSql(name), options);
      await prove([]);
      for (const spec of wanted) await make(spec);
      await prove(state.tables).catch(ifConflict);
    } catch (error) {
      const others = stopsSite ? state.found.map(({ name }) => name) : [];
      for (const name of [...made, ...others]) await run(dropTriggerSql(name), { ...options, signal: undefined });
      throw error;
    }
    for (const trigger of surplus) await run(dropTriggerSql(trigger.name), options);
  });
  return wanted;
}

/** A table that somebody is altering right now is looked at by the watch soon after. */
function ifConflict(error: unknown): void {
  if (!(error instanceof SyncError) || error.code !== 'DB_CONFLICT') throw error;
}

/** What is dropped besides the triggers of this site. */
export interface DropOptions extends DdlOptions {
  /** Those of sites that are not there any more, too. */
  readonly orphans?: boolean;
}

/** Drops every trigger of ours; returns how many there were on tables that are not ours. Throws `TABLE_BUSY`. */
export async function dropTriggers(
  db: Kysely<unknown>,
  catalog: Catalog,
  { orphans = false, ...options }: DropOptions = {},
): Promise<number> {
  const of = belonging(catalog, []);
  const found = [...(await findTriggers(db, of)), ...(orphans ? await findOrphans(db, of) : [])];
  if (found.length === 0) return 0;
  await withDdlSession(db, async (run) => {
    for (const trigger of found) await run(dropTriggerSql(trigger.name), options);
  });
  return found.filter(({ table }) => table !== ownName(catalog.prefix, 'probe')).length;
}

/** Which triggers are this site's. */
export function belonging(catalog: Catalog, related: readonly RelatedTable[]): Belonging {
  const names = watchedTables(catalog, related).map(({ table }) => table.name);
  const { prefix } = catalog;
  return { catalog, queue: ownName(prefix, 'queue'), watched: new Set([...names, ownName(prefix, 'probe')]) };
}

function parted<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}

/** White space in a stored body may differ from what was sent. */
function squeeze(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
