/**
 * Since when the site validates addresses, as far as is known, and whether it did when its accounts were first looked at: both
 * decide which of them count as proved.
 */
import { sql } from 'kysely';
import { id, type Catalog } from '../db/catalog.ts';
import { own } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';
import type { Validation } from '../model/proof.ts';
import { readState, readStates, writeState } from './state.ts';

/**
 * How the site goes about addresses, now that its preference says whether it validates them. Notes when it was first seen to: what
 * was done before that, and is looked at only now, proved nothing.
 */
export async function noteValidation(runner: Runner, validates: boolean, nowMs: number): Promise<Validation> {
  const noted = await readStates(runner, ['validated_at_first_sight', 'validates_since', 'baseline_finished_at']);
  const isFirstSight = !noted.has('baseline_finished_at');
  const atFirst = noted.get('validated_at_first_sight');
  const didAtFirstSight = atFirst === undefined ? validates : atFirst === 'yes';
  const known = noted.get('validates_since');
  if (!validates) {
    if (known !== undefined) await writeState(runner, 'validates_since', null);
    return { sinceMs: Infinity, didAtFirstSight, isFirstSight };
  }
  const since = known ?? (atFirst === undefined ? '0' : String(nowMs));
  if (known === undefined) await writeState(runner, 'validates_since', since);
  return { sinceMs: Number(since), didAtFirstSight, isFirstSight };
}

/** Whether the site validated addresses when its accounts were first looked at; undefined: nobody looked yet. */
export async function readFirstSight(runner: Runner): Promise<boolean | undefined> {
  const noted = await readState(runner, 'validated_at_first_sight');
  return noted === undefined ? undefined : noted === 'yes';
}

/** Notes what the site did when its accounts were first looked at, once for all. */
export async function noteFirstSight(runner: Runner, validates: boolean): Promise<void> {
  if ((await readFirstSight(runner)) !== undefined) return;
  await writeState(runner, 'validated_at_first_sight', validates ? 'yes' : 'no');
  await writeState(runner, 'validates_since', validates ? '0' : null);
}

/**
 * How many users have a shadow, and of how many the address counts as proved; those that a version without proofs made of a
 * peer's records count as registered here. `SELECT COUNT(*), SUM(…) FROM user JOIN t_user …`
 */
export async function countProved(
  runner: Runner,
  catalog: Catalog,
  { didAtFirstSight }: { readonly didAtFirstSight: boolean },
): Promise<{ known: number; proved: number }> {
  const users = id(catalog.requireTable('t_user').name);
  const atFirstSight = sql`(${Number(didAtFirstSight)} = 1 AND s.proof IS NULL AND COALESCE(s.births, '') NOT LIKE '% %' AND u.b_active = 1)`;
  const { rows } = await sql<{ known: string; proved: string | null }>`
    SELECT COUNT(*) AS known, SUM(COALESCE(s.proof, '') <> '' OR ${atFirstSight}) AS proved
    FROM ${own.user} s JOIN ${users} u ON u.pk_i_id = s.user_id`.execute(runner);
  return { known: Number(rows[0]?.known ?? 0), proved: Number(rows[0]?.proved ?? 0) };
}
