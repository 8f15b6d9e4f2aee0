/** Looking at every user once (the baseline, or a re-scan), with progress. */
import { sql } from 'kysely';
import { id } from '../db/catalog.ts';
import type { Site } from '../site.ts';
import { pause, type Terminal } from './context.ts';
import { startProgress } from './progress.ts';

const POLL_MS = 500;

/**
 * Works off all pages that are left; does nothing if there are none. Returns how many users were looked at, or undefined
 * if the person stopped it: it goes on from there next time.
 */
export async function finishScan(site: Site, terminal: Terminal): Promise<number | undefined> {
  if (!(await site.isScanPending())) return 0;
  const signal = terminal.untilStopped();
  const { total, known } = await countUsers(site);
  const progress = startProgress(terminal, 'users');
  // A scan that goes on from where it was stopped has those users behind it; a re-scan begins anew.
  const behind = known < total ? known : 0;
  let done = 0;
  let isWaiting = false;
  try {
    progress.update(behind, total);
    while (await site.isScanPending()) {
      if (signal.aborted) return undefined;
      const page = await site.scanPage();
      if (page === undefined) {
        if (!isWaiting) progress.note('Another process is at it; waiting for it.');
        isWaiting = true;
        await pause(POLL_MS, signal);
      }
      done += page?.done ?? 0;
      progress.update(Math.min(behind + done, total), total);
    }
    return done;
  } finally {
    progress.stop();
  }
}

/** All users of the site, and those that have a shadow. */
async function countUsers({ db, own, parts }: Site): Promise<{ total: number; known: number }> {
  const users = parts().catalog.requireTable('t_user').name;
  const { rows } = await sql<{ total: string; known: string }>`
    SELECT (SELECT COUNT(*) FROM ${id(users)}) AS total, (SELECT COUNT(*) FROM ${id(own.user)}) AS known`.execute(db);
  return { total: Number(rows[0]?.total ?? 0), known: Number(rows[0]?.known ?? 0) };
}
