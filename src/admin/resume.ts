/** What a person says of a site that finds itself elsewhere: moved, restored or cloned. */
import { v4 } from 'uuid';
import { resetCursors } from '../store/feed-cursor.ts';
import { renewInstallation } from '../store/installation.ts';
import { forgetPeers, forgetSurroundings, notedSurroundings, noteSurroundings } from '../store/surroundings.ts';
import { inTransaction } from '../db/transaction.ts';
import { SyncError } from '../model/errors.ts';
import type { Actor } from '../server/deps.ts';
import type { Site } from '../site/site.ts';
import { surroundingsOf } from '../site/identity-check.ts';

/** `moved`: the same data at another place. `restored`: older data of the same site. `clone`: another site made from it. */
export type ResumedAs = 'moved' | 'restored' | 'clone';

/** What came of it. `stopped` false: nothing was, and nothing was done. */
export interface Resumed {
  readonly stopped: boolean;
  /** What was other than last time, in words. */
  readonly message: string | null;
}

/**
 * Writes down that the database belongs here, and lets the work go on: a running daemon notices within a second. As a clone
 * everything that waits for peers is forgotten, and so is how far feeds are; as restored the feeds start over; as
 * either it is another installation to peers, whose feeds begin at the start too. Leaves a log
 * record that says who it was. Throws `CONFIG_INVALID` where the config does not fit what is said: a clone needs another
 * `site.name` and another `site.api_key`, for by these peers would take it for the site; the site itself keeps its name.
 */
export async function resume(site: Site, as: ResumedAs, by: Actor): Promise<Resumed> {
  const { db, identityCheck, config, activity } = site;
  const mismatch = await identityCheck.look();
  if (mismatch === undefined) return { stopped: false, message: null };
  const now = await surroundingsOf(db, config);
  await inTransaction(db, async (trx) => {
    const { last } = await notedSurroundings(trx, '');
    if (last !== undefined) requireFitting(as, last, now);
    if (as === 'clone') await forgetPeers(trx);
    if (as === 'restored') await resetCursors(trx);
    if (as !== 'moved') await renewInstallation(trx);
    await forgetSurroundings(trx);
    await noteSurroundings(trx, { ...now, process: v4(), beat: 1 });
    await activity.append(trx, [
      {
        type: 'PROCESS',
        peer: null,
        key: by.keyDigest,
        ip: by.ip,
        trace: by.trace,
        status: 'OK',
        response: `Resumed by ${by.name} as ${as}: ${mismatch.message}`,
        content: { operation: 'resume', by: by.name, as, differences: mismatch.differences },
      },
    ]);
  });
  await identityCheck.look();
  return { stopped: true, message: mismatch.message };
}

interface SiteNames {
  readonly site: string;
  readonly apiKey: string;
}

function requireFitting(as: ResumedAs, before: SiteNames, now: SiteNames): void {
  if (as !== 'clone') {
    if (before.site === now.site) return;
    throw new SyncError('CONFIG_INVALID', `site.name was ${before.site}: put it back, for it is part of every stamp.`);
  }
  const same = [
    ...(before.site === now.site ? ['site.name'] : []),
    ...(before.apiKey === now.apiKey ? ['site.api_key'] : []),
  ];
  if (same.length === 0) return;
  const what = same.join(' and ');
  throw new SyncError(
    'CONFIG_INVALID',
    `Give the clone another ${what} first: with ${same.length > 1 ? 'these' : 'this'} peers take it for the site that it was made from.`,
  );
}
