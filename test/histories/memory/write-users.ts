/** Stands in for src/osclass/write-users.ts. */
import type { Column, Table } from '../../../src/db/catalog.ts';
import { SyncError } from '../../../src/model/errors.ts';
import type { Value } from '../../../src/model/register.ts';
import type { ColumnWrites, DescriptionWrite, UserUpdate } from '../../../src/osclass/write-users.ts';
import { memoryOf, type Memory } from './database.ts';
import { DEFAULTS, emailOfRow, folded, isSquattersHash, LOCALES, textOf } from './host.ts';

export * from '../../../src/osclass/write-users.ts';

export async function updateUser(runner: unknown, _table: Table, userId: number, writes: ColumnWrites): Promise<void> {
  const memory = memoryOf(runner);
  const row = memory.tables.rows.get(userId);
  if (writes.size === 0 || row === undefined) return;
  memory.step();
  const written = valuesOf(writes);
  refuseSecondHolder(memory, userId, written['s_email']);
  const hash = written['s_password'];
  const isLost = hash !== undefined && isSquattersHash(row.columns['s_password']) && !isSquattersHash(hash);
  for (const [name, value] of Object.entries(written)) {
    memory.onDaemonWrite(row, row.columns[name] ?? null, value, isLost);
    memory.onDaemonRowWrite(row, name, row.columns[name] ?? null, value);
  }
  const registration = written['dt_reg_date'];
  const lineage = typeof registration === 'string' ? new Set([...row.lineage, registration]) : row.lineage;
  const haunted = isLost ? { isHaunted: true } : {};
  memory.tables.rows.set(userId, { ...row, columns: { ...row.columns, ...written }, lineage, ...haunted });
  memory.mark(userId, 'U', null);
}

export async function updateUsers(runner: unknown, table: Table, updates: readonly UserUpdate[]): Promise<void> {
  for (const { userId, writes } of updates) await updateUser(runner, table, userId, writes);
}

export async function insertUsers(runner: unknown, _table: Table, users: readonly ColumnWrites[]): Promise<void> {
  const memory = memoryOf(runner);
  for (const writes of users) {
    memory.step();
    const columns = { ...DEFAULTS, ...valuesOf(writes) };
    const id = memory.next();
    refuseSecondHolder(memory, id, columns['s_email']);
    const lineage = new Set([textOf(columns['dt_reg_date'])]);
    memory.tables.rows.set(id, { id, columns, texts: new Map(), lineage });
    memory.mark(id, 'I', null);
  }
}

export async function nameByIds(): Promise<void> {}

export async function holdersOfNames(): Promise<{ id: number; name: string }[]> {
  return [];
}

export async function writeDescriptions(
  runner: unknown,
  _table: Table,
  writes: readonly DescriptionWrite[],
): Promise<void> {
  const memory = memoryOf(runner);
  for (const { userId, locale, text, isGone } of writes) {
    const row = memory.tables.rows.get(userId);
    if (row === undefined) continue;
    memory.step();
    memory.onDaemonWrite(row, row.texts.get(locale) ?? null, text, row.isHaunted === true);
    const texts = new Map(row.texts);
    if (isGone) texts.delete(locale);
    else texts.set(locale, text);
    memory.tables.rows.set(userId, { ...row, texts });
    memory.mark(userId, 'R', null);
  }
}

export async function readLocales(): Promise<Set<string>> {
  return new Set(LOCALES);
}

function valuesOf(writes: ColumnWrites): Record<string, Value> {
  const entries = [...writes].map(([column, value]: [Column, Value | number]): [string, Value] => [
    column.name,
    typeof value === 'number' ? String(value) : value,
  ]);
  return Object.fromEntries(entries);
}

/** The unique key on `s_email`. */
function refuseSecondHolder(memory: Memory, userId: number, email: Value | undefined): void {
  if (typeof email !== 'string') return;
  const holder = [...memory.tables.rows.values()].find((row) => folded(emailOfRow(row)) === folded(email));
  if (holder === undefined || holder.id === userId) return;
  memory.refusals.push(`account ${userId} was to take ${email}, which account ${holder.id} has`);
  throw new SyncError('DB_ERROR', `Duplicate entry '${email}' for key 's_email'`);
}
