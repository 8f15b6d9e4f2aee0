/** Stands in for src/db/server-facts.ts: the clock of the database is that of the site. */
import { memoryOf } from './database.ts';

export * from '../../../src/db/server-facts.ts';

export async function readClock(runner: unknown): Promise<number> {
  return memoryOf(runner).nowMs();
}
