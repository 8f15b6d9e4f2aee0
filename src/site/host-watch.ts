/** What is asked of the host whenever it is looked at: is everything there that was, and as it was? */
import type { Kysely } from 'kysely';
import { watchRegisters } from '../capture/baseline.ts';
import { findMissingParts, watchDefinitions, watchedParts } from '../capture/watched-parts.ts';
import type { Config } from '../config/config.ts';
import { DEFAULT_COLUMNS, furtherColumns } from '../model/policy.ts';
import { ROW } from '../model/register.ts';
import { findUnfit, type Unfit } from '../osclass/host-fit.ts';
import type { HostSnapshot } from '../osclass/host.ts';
import { makeParkedWaker } from './parked-waker.ts';

/** What is wrong with the tables of the host; nothing: both are empty. */
export interface HostProblems {
  /** What was synchronised and is not there any more: `table t_user_description`, `column s_website`. */
  readonly missing: readonly string[];
  /** What is not as Osclass makes it. */
  readonly unfit: readonly Unfit[];
}

/** The watch over the host of one site. */
export interface HostWatch {
  /** After the host was looked at: remembers, asks for comparisons, wakes what can go through now. */
  look(snapshot: HostSnapshot, config: Config): Promise<void>;
  /** As of the last look. */
  problems(): HostProblems;
}

/** A watch that has seen nothing yet. */
export function makeHostWatch(db: Kysely<unknown>): HostWatch {
  const wake = makeParkedWaker(db);
  let problems: HostProblems = { missing: [], unfit: [] };
  return {
    async look(snapshot, config) {
      problems = await watchHost(db, snapshot, config);
      await wake(snapshot, config);
    },
    problems: () => problems,
  };
}

/** Looks, remembers, and asks for the comparison of all users where tables or columns are others than before. */
async function watchHost(db: Kysely<unknown>, { catalog, hosts }: HostSnapshot, config: Config): Promise<HostProblems> {
  // Version 0.1.0 did not tell an empty row of a related table from none.
  const rows = hosts.related.map(({ register }) => `${register} ${ROW}`);
  await watchRegisters(db, [...hosts.columns.keys(), ...rows]);
  const tables = ['t_user', 't_user_description'].map((base) => catalog.table(base));
  const related = hosts.related.map(({ table }) => table);
  await watchDefinitions(db, [...tables.filter((table) => table !== undefined), ...related]);
  const wanted = wantedParts(config);
  const missing = await findMissingParts(db, watchedParts(catalog, hosts), (part) => wanted.has(part));
  return { missing, unfit: findUnfit(catalog) };
}

function wantedParts(config: Config): Set<string> {
  return new Set([
    'table t_user_description',
    'table t_locale',
    ...[...DEFAULT_COLUMNS, ...furtherColumns(config)].map((name) => `column ${name}`),
    ...config.relatedTables.map((entry) => `related table ${entry.as}`),
  ]);
}
