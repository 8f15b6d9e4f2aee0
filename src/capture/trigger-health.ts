/** Keeping watch over the triggers: an idle daemon asks whether they are still there, and repairs what is not. */
import { sql, type Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { SyncError } from '../model/errors.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { withTriggerLease } from './with-trigger-lease.ts';
import { requestRescan } from './baseline.ts';
import type { TriggerSpec } from './trigger-sql.ts';
import type { DdlOptions } from './ddl-session.ts';
import { findFlaw } from './trigger-proof.ts';
import {
  dropTriggers,
  inspectTriggers,
  repairTriggers,
  tablesWatched,
  triggersAreWell,
  type TriggerState,
} from './triggers.ts';

/** `lost`: some were missing, so changes may have gone unmarked; they are back, and a re-scan was asked for. */
export type TriggerCheck =
  | { readonly kind: 'well' }
  | { readonly kind: 'renewed'; readonly triggers: readonly string[] }
  | { readonly kind: 'lost'; readonly triggers: readonly string[] };

/** What is watched, and how to go about repairing. */
export interface WatchOptions extends DdlOptions {
  readonly related?: readonly RelatedTable[];
}

/**
 * Looks at the triggers and at the server, and repairs. Throws `DB_READ_ONLY` where no trigger would fire,
 * and what making triggers throws: `TABLE_BUSY`, `DB_MISSING_RIGHT`, …
 */
export async function checkTriggersOnce(
  db: Kysely<unknown>,
  catalog: Catalog,
  { related = [], ...ddl }: WatchOptions = {},
): Promise<TriggerCheck> {
  await checkWritable(db);
  if (triggersAreWell(await inspectTriggers(db, catalog, related))) return { kind: 'well' };
  const state = await withTriggerLease(db, async () => {
    const found = await inspectTriggers(db, catalog, related);
    await repairAndRescan(db, catalog, found, ddl);
    return found;
  });
  if (triggersAreWell(state)) return { kind: 'well' };
  return state.missing.length > 0
    ? { kind: 'lost', triggers: namesOf(state.missing) }
    : { kind: 'renewed', triggers: namesOf(state.outdated) };
}

/**
 * Runs the triggers as the site's writes do, which leaves nothing behind; see trigger-proof.ts. Where the site cannot write because of them,
 * they are dropped at once. Returns what is wrong; undefined: nothing. Throws what {@link findFlaw} and dropping throw.
 */
export async function proveTriggers(
  db: Kysely<unknown>,
  catalog: Catalog,
  { related = [], ...ddl }: WatchOptions = {},
): Promise<SyncError | undefined> {
  const flaw = await findFlaw(db, tablesWatched(catalog, related));
  if (flaw === undefined) return undefined;
  // Without a trigger of its own the probe tells nothing; it is repaired with the others.
  if (!flaw.stopsSite && (await inspectTriggers(db, catalog, related)).probe !== undefined) return undefined;
  if (flaw.stopsSite) await withTriggerLease(db, () => dropTriggers(db, catalog, ddl));
  return flaw.error;
}

/** Throws `DB_READ_ONLY`. */
export async function checkWritable(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ off: string | number }>`SELECT @@GLOBAL.read_only AS off`.execute(db);
  if (!/^(?:0|off)$/i.test(String(rows[0]?.off ?? 0))) throw new SyncError('DB_READ_ONLY');
}

/**
 * Repairs; where triggers were missing, changes may have gone unmarked, so all users are compared with their shadows. The
 * wish is written before, since a crash between the two must not cost changes, and after, since another process may
 * have compared them while there was no trigger yet. Returns what was made.
 */
export async function repairAndRescan(
  db: Kysely<unknown>,
  catalog: Catalog,
  state: TriggerState,
  options: DdlOptions = {},
): Promise<TriggerSpec[]> {
  if (triggersAreWell(state)) return [];
  if (state.missing.length > 0) await requestRescan(db);
  const made = await repairTriggers(db, catalog, state, options);
  if (state.missing.length > 0) await requestRescan(db);
  return made;
}

function namesOf(triggers: readonly TriggerSpec[]): string[] {
  return triggers.map((trigger) => trigger.purpose);
}
