/** What the database server takes of the processor. */
import { readFileSync } from 'node:fs';
import type { TestDatabase } from '../test/support/database.ts';
import { cpuOf } from './daemon-process.ts';

/**
 * Tells the processor time of the server so far, in milliseconds; NaN where it is no process of this machine that we may
 * look at. `SELECT @@pid_file`
 */
export async function serverCpu(db: TestDatabase): Promise<() => number> {
  const [row] = await db.query<{ file: string }>('SELECT @@pid_file AS file');
  try {
    const pid = Number(readFileSync(row?.file ?? '', 'utf8'));
    cpuOf(pid);
    return () => cpuOf(pid);
  } catch {
    return () => Number.NaN;
  }
}
