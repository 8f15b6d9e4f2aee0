/** What users have in other tables than `t_user`: their descriptions, and rows of related tables. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import { id, type Table } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { descriptionValues } from '../model/absorb.ts';
import { descriptionRegister, type RegisterName, type Values } from '../model/register.ts';
import { readRelated, type RelatedTable } from './related.ts';

/** Where it is. */
export interface BelongingsTables {
  /** `t_user_description`, if this site has it. */
  readonly descriptions: Table | undefined;
  readonly related: readonly RelatedTable[];
}

/**
 * Texts and related rows under ids, by user, whether or not a row of `t_user` has the id. A user who has nothing is not in it.
 * `SELECT … FROM t_user_description WHERE fk_i_user_id IN (…)`, and one SELECT for each related table.
 */
export async function readBelongings(
  runner: Runner,
  { descriptions, related }: BelongingsTables,
  ids: readonly number[],
): Promise<Map<number, Map<RegisterName, Values>>> {
  const found = new Map<number, Map<RegisterName, Values>>();
  if (ids.length === 0) return found;
  const set = (userId: number, register: RegisterName, values: Values): void => {
    found.set(userId, (found.get(userId) ?? new Map<RegisterName, Values>()).set(register, values));
  };
  const texts = descriptions === undefined ? [] : await readDescriptions(runner, descriptions, ids);
  for (const { userId, locale, info } of texts) set(userId, descriptionRegister(locale), descriptionValues(info));
  for (const one of related) {
    for (const [userId, values] of await readRelated(runner, one, ids)) set(userId, one.register, values);
  }
  return found;
}

interface Description {
  readonly userId: number;
  readonly locale: string;
  readonly info: string | null;
}

async function readDescriptions(runner: Runner, table: Table, ids: readonly number[]): Promise<Description[]> {
  const { rows } = await sql<Description>`
    SELECT fk_i_user_id AS userId, fk_c_locale_code AS locale, s_info AS info
    FROM ${id(table.name)} WHERE fk_i_user_id IN (${bindList(ids)})
    ORDER BY fk_i_user_id, fk_c_locale_code`.execute(runner);
  return rows;
}
