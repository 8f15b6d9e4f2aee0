/** When everything that was changed has been sent, asked for in a way that costs the server next to nothing. */
import { eventually } from '../test/support/eventually.ts';
import type { WorldSite } from '../test/support/world.ts';

/** Waits until no marker is left, and no entry for the peer; for any peer where none is named. */
export async function allSent({ db }: Pick<WorldSite, 'db'>, peer?: string): Promise<void> {
  const forPeer = peer === undefined ? '' : `WHERE peer = '${peer}'`;
  await eventually(
    async () => {
      const [left] = await db.query<{ n: number }>(
        `SELECT EXISTS (SELECT 1 FROM oc_account_sync_queue)
          + EXISTS (SELECT 1 FROM oc_account_sync_outbox ${forPeer}) AS n`,
      );
      if (Number(left?.n) !== 0) throw new Error('something is left');
    },
    { timeoutMs: 1_800_000, intervalMs: 20 },
  );
}
