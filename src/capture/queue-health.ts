/**
 * Keeping watch over the queue: does it take the markers of the triggers? They swallow the error if it is full, its disk
 * is, or their account lacks a right, so the host goes on and changes go unmarked. All users are compared instead, until
 * it takes markers again and once more after that. That something was lost is remembered across restarts.
 */
import type { Kysely } from 'kysely';
import type { Catalog } from '../db/catalog.ts';
import { isDenied } from '../db/failures.ts';
import { withFreshRights } from '../db/fresh-rights.ts';
import { requireRightToMark, tryMarker } from '../store/queue.ts';
import { readState, writeState } from '../store/state.ts';
import { SyncError } from '../model/errors.ts';
import type { RelatedTable } from '../osclass/related.ts';
import { requestRescan } from './baseline.ts';
import type { Patience } from './ddl-session.ts';
import { mayMakeTriggers } from './rights.ts';
import { proveTriggers } from './trigger-health.ts';

/** The watch of one daemon. */
export interface QueueWatch {
  /**
   * Looks, and asks for what is due. Returns what is wrong now; undefined: nothing. `isThorough` puts a marker in and
   * takes it back; else only the right to do so is asked for. Then the triggers are run: they have rights of their own. If
   * the site cannot write because of them, they are dropped.
   */
  look(isThorough: boolean): Promise<SyncError | undefined>;
  /**
   * Tells of an error of other work. If it says that markers may be lost too, it is returned, and the next good look asks
   * for a re-scan.
   */
  suspect(error: unknown): SyncError | undefined;
}

/** What it looks at. */
export interface QueueWatchDeps {
  readonly db: Kysely<unknown>;
  readonly catalog: () => Catalog;
  /** Related tables that are watched; none unless given. */
  readonly related?: () => readonly RelatedTable[];
}

/** Work that is to be tried again says nothing about the queue, and where nobody can write nothing is lost. */
const SAYS_NOTHING = new Set(['DB_UNAVAILABLE', 'DB_CONFLICT', 'DB_READ_ONLY', 'HOST_CHANGED', 'TABLE_BUSY']);
/** Triggers that stop the site are dropped as soon as its tables let us; the next look tries again. */
const PATIENCE: Patience = { tries: 2, pauseMs: 500 };

const NO_TRIGGER =
  'The account of the daemon lacks TRIGGER: until it is granted, or "account-sync uninstall" was run by an account that has it, the site\'s own changes of users fail (1142).';

/** Makes the watch. */
export function makeQueueWatch({ db, catalog, related = () => [] }: QueueWatchDeps): QueueWatch {
  /** Undefined until the first look: an earlier process may have left it to us. */
  let isLost: boolean | undefined;

  const probe = async (isThorough: boolean): Promise<SyncError | undefined> => {
    try {
      await withFreshRights(db, catalog(), async (connection) => {
        await (isThorough ? tryMarker(connection) : requireRightToMark(connection));
        if (!(await mayMakeTriggers(connection, catalog()))) throw new SyncError('DB_MISSING_RIGHT', NO_TRIGGER);
      });
      return await proveTriggers(db, catalog(), { related: related(), patience: PATIENCE });
    } catch (error) {
      if (error instanceof SyncError && !SAYS_NOTHING.has(error.code)) return error;
      throw error;
    }
  };

  return {
    async look(isThorough) {
      isLost ??= (await readState(db, 'markers_lost')) !== undefined;
      const problem = await probe(isThorough);
      if (problem !== undefined) {
        const isNews = !isLost;
        isLost = true;
        // Without rights not even this can be written; the next look that finds all well asks again.
        if (isNews || isThorough) await note(db, '1').catch(() => undefined);
      } else if (isLost) {
        await note(db, null);
        isLost = false;
      }
      return problem;
    },
    suspect(error) {
      // What a stripped account is told; what the triggers do happens in its name too.
      if (!(error instanceof SyncError) || !isDenied(error)) return undefined;
      isLost = true;
      return error;
    },
  };
}

async function note(db: Kysely<unknown>, lost: '1' | null): Promise<void> {
  await requestRescan(db);
  await writeState(db, 'markers_lost', lost);
}
