/**
 * Whether this is the place where the site's database was when it was last worked with. A copy of database and config that is
 * started elsewhere would send its tests to the peers as changes of the site, and take what peers send to the site.
 */
import type { Kysely } from 'kysely';
import type { Config } from '../config/config.ts';
import { noteSurroundings, notedSurroundings, readServerIdentity } from '../store/surroundings.ts';
import { SyncError } from '../model/errors.ts';
import { describeDifferences, differencesOf, type Difference, type Surroundings } from '../model/surroundings.ts';
import { makeSlowKeyDigest } from '../peer/key-digest.ts';

/** Why nothing is sent or applied. */
export interface IdentityMismatch {
  readonly differences: readonly Difference[];
  /** The same in words. */
  readonly message: string;
}

/** What is known of the place. */
export interface IdentityCheck {
  /** Compares with what was written down last; undefined: it is the same, or nothing was. Writes nothing. */
  look(): Promise<IdentityMismatch | undefined>;
  /** The same, and writes down where it is unless it is elsewhere: for daemons, at the start and now and then. */
  note(): Promise<IdentityMismatch | undefined>;
  /** As it was at the last look; undefined before the first one. */
  mismatch(): IdentityMismatch | undefined;
  /** Throws `RESTORED_OR_CLONED` where nothing may be sent or applied; looks if nobody did yet. */
  require(): Promise<void>;
}

/** What it needs. */
export interface IdentityCheckDeps {
  readonly db: Kysely<unknown>;
  readonly config: () => Config;
  /** Random id of this process. */
  readonly process: string;
}

/**
 * A process that finds what it wrote itself goes on with the data it worked with, whatever server they are on: a replica that was
 * promoted. What it finds may be this many calls of note() behind what it wrote: replicas lag.
 */
const LAG_BEATS = 20;

/** Asks nothing before the first look. */
export function makeIdentityCheck({ db, config, process }: IdentityCheckDeps): IdentityCheck {
  let last: { readonly mismatch: IdentityMismatch | undefined } | undefined;
  let beats = 0;
  const slowDigest = makeSlowKeyDigest();

  const compare = async (): Promise<{ now: Surroundings; mismatch: IdentityMismatch | undefined }> => {
    const now = await surroundingsOf(db, config(), slowDigest);
    const noted = await notedSurroundings(db, process);
    const isContinued = noted.mine !== undefined && noted.mine.beat + LAG_BEATS >= beats;
    const isServerWatched = config().site.serverIdentity === 'watched';
    const differences =
      isContinued || noted.last === undefined ? [] : differencesOf(noted.last, now, { isServerWatched });
    const mismatch = differences.length === 0 ? undefined : { differences, message: describeDifferences(differences) };
    last = { mismatch };
    return { now, mismatch };
  };

  return {
    look: async () => (await compare()).mismatch,
    async note() {
      const { now, mismatch } = await compare();
      if (mismatch !== undefined) return mismatch;
      beats += 1;
      await noteSurroundings(db, { ...now, process, beat: beats });
      return undefined;
    },
    mismatch: () => last?.mismatch,
    async require() {
      if (last === undefined) await compare();
      const mismatch = last?.mismatch;
      if (mismatch !== undefined) throw mismatchError(mismatch);
    },
  };
}

/** `RESTORED_OR_CLONED`, with what changed. */
export function mismatchError({ message }: IdentityMismatch): SyncError {
  return new SyncError('RESTORED_OR_CLONED', `Nothing is sent or applied, for ${message}.`);
}

/** Where the database is now, by the server and the config. */
export async function surroundingsOf(
  db: Kysely<unknown>,
  { site }: Config,
  slowDigest = makeSlowKeyDigest(),
): Promise<Surroundings> {
  const server = await readServerIdentity(db);
  return { ...server, site: site.name, url: site.url, apiKey: slowDigest(site.apiKey) };
}
