/** Looking at every user once (the baseline, or a re-scan), with progress. */
import { countUsers } from '../store/shadows.ts';
import type { Site } from '../site/site.ts';
import { pause, type Terminal } from './context.ts';
import { startProgress } from './progress.ts';

const POLL_MS = 500;

/**
 * Processes all pages that are left; does nothing if there are none. Returns how many users were looked at, or undefined
 * if the person stopped it: it goes on from there next time.
 */
export async function finishScan(site: Site, terminal: Terminal): Promise<number | undefined> {
  if (!(await site.isScanPending())) return 0;
  const signal = terminal.untilStopped();
  const { total, known } = await countUsers(site.db, site.snapshot().catalog);
  const progress = startProgress(terminal, 'users');
  // A scan that goes on from where it was stopped has those users behind it; a re-scan starts over.
  const behind = known < total ? known : 0;
  let done = 0;
  let isWaiting = false;
  try {
    progress.update(behind, total);
    while (await site.isScanPending()) {
      if (signal.aborted) return undefined;
      const page = await site.scanPage();
      if (page === undefined) {
        if (!isWaiting) progress.note('Another process is scanning; waiting for it.');
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
