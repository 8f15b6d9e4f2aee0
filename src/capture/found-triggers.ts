/**
 * Which triggers in a database are of our making. They are known by what they do, for their names tell nothing after a table or
 * the prefix of a site was renamed, or a dump was restored under another prefix; and by their names, whatever they do.
 */
import { sql } from 'kysely';
import { readTriggers, type Catalog, type Ident, type Trigger } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import { findPrefixes } from '../osclass/survey.ts';

/** A trigger of ours that exists. */
export interface FoundTrigger extends Trigger {
  /** The table it puts markers into; null: it puts none, or cannot be read. */
  readonly queue: string | null;
  /** The number at the end of its name, if the name is one that we give. */
  readonly number: number | null;
}

/** What makes a trigger that of a site. */
export interface Belonging {
  readonly catalog: Pick<Catalog, 'schema' | 'prefix'>;
  readonly queue: Ident;
  /** Names of the tables that the site watches. */
  readonly watched: ReadonlySet<string>;
}

/** Triggers of this site, on whatever table of its database: those that mark in its queue, sit on its tables, or bear its name. */
export async function findTriggers(runner: Runner, of: Belonging): Promise<FoundTrigger[]> {
  return (await readAll(runner, of)).filter((trigger) => belongs(trigger, of));
}

/**
 * Triggers of ours for a site that is not there (any more): its prefix was changed, or its tables were dropped. They mark nothing,
 * and fail every write of their table once their definer is dropped.
 */
export async function findOrphans(runner: Runner, of: Belonging): Promise<FoundTrigger[]> {
  const others = (await readAll(runner, of)).filter(({ queue }) => queue !== null);
  const orphans = others.filter((trigger) => !belongs(trigger, of));
  if (orphans.length === 0) return [];
  const living = new Set((await findPrefixes(runner, of.catalog.schema)).map((prefix) => `${prefix}${QUEUE}`));
  return orphans.filter(({ queue }) => !living.has(queue ?? ''));
}

/**
 * `schema.trigger` of triggers of ours in other databases of the server that run as this account, as far as the account may see
 * them: copies of the site. `SELECT … FROM information_schema.TRIGGERS WHERE DEFINER = CURRENT_USER()`
 */
export async function findElsewhere(runner: Runner, { schema }: Pick<Catalog, 'schema'>): Promise<string[]> {
  const { rows } = await sql<{ place: string; name: string }>`
    SELECT TRIGGER_SCHEMA AS place, TRIGGER_NAME AS name FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA <> ${schema} AND DEFINER = CURRENT_USER()
      AND ACTION_STATEMENT LIKE '%@account\\_sync\\_applying%'
    ORDER BY 1, 2`.execute(runner);
  return rows.map(({ place, name }) => `${place}.${name}`);
}

/** What the name of each of our queues ends in, after the prefix of the site. */
const QUEUE = 'account_sync_queue';

async function readAll(runner: Runner, { catalog }: Belonging): Promise<FoundTrigger[]> {
  const start = `${catalog.prefix}account_sync_`;
  return (await readTriggers(runner, catalog.schema)).map((trigger) => {
    const named = trigger.name.startsWith(start) ? /^[a-z0-9_]+_(\d+)$/.exec(trigger.name.slice(start.length)) : null;
    const isOurs = named !== null || /@`?account_sync_applying\b/i.test(trigger.body ?? '');
    const queue = isOurs ? queueOf(trigger.body ?? '') : null;
    return { ...trigger, queue, number: named === null ? null : Number(named[1]) };
  });
}

function belongs({ queue, table, number }: FoundTrigger, of: Belonging): boolean {
  return number !== null || (queue !== null && (queue === of.queue || of.watched.has(table)));
}

/** The queue a body puts markers into, however it is laid out; null if it puts none. */
function queueOf(body: string): string | null {
  for (const insert of body.matchAll(/\bINSERT\s+INTO\s+/gi)) {
    const from = insert.index + insert[0].length;
    const [first = '', point, second = ''] = body.slice(from, from + LONGEST_TARGET).match(/`[^`]+`|[\w$]+|\./g) ?? [];
    const table = (point === '.' ? second : first).replaceAll('`', '');
    if (/account_sync_queue$/i.test(table)) return table;
  }
  return null;
}

/** Two names of at most 64 characters, and what may stand around them. */
const LONGEST_TARGET = 300;
