/** Stands in for src/store/state.ts. */
import type { StateName } from '../../../src/store/state.ts';
import { memoryOf } from './database.ts';

export async function readState(runner: unknown, name: StateName): Promise<string | undefined> {
  return memoryOf(runner).tables.state.get(name);
}

export async function readStates(
  runner: unknown,

  names: readonly StateName[],
): Promise<ReadonlyMap<StateName, string>> {
  const { state } = memoryOf(runner).tables;
  return new Map(names.filter((name) => state.has(name)).map((name) => [name, state.get(name) ?? '']));
}

export async function writeState(
  runner: unknown,

  name: StateName,
  value: string | null,
): Promise<void> {
  const memory = memoryOf(runner);
  memory.step();
  if (value === null) memory.tables.state.delete(name);
  else memory.tables.state.set(name, value);
}

export async function readStatesOf(): Promise<string[]> {
  throw new Error('no history asks for tables and columns that are watched');
}
