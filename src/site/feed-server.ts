/** Feeds that peers pull from a site: serves the pages of src/feed and counts them for each peer. */
import type { Kysely } from 'kysely';
import { makeFeedReader, type FeedReader } from '../feed/reader.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import type { AppendLog, OutboxWriter, ReadValidation } from '../store/ports.ts';
import type { Undrained } from '../store/undrained.ts';
import type { ActiveConfig } from './active-config.ts';

/** What it needs of the site. */
export interface FeedServerSite {
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
  readonly appendLog: AppendLog;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly undrained: Undrained;
  readonly validation: ReadValidation;
  readonly status: Pick<PeerStatus, 'recordSynced'>;
  readonly now: () => ActiveConfig;
  readonly feedsMustWait: () => Promise<boolean>;
  readonly drain: () => Promise<unknown>;
  /** Looks at the host again if its tables turn out to have changed. */
  readonly withFreshHost: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Serves pages, and counts the records in them. */
export function makeFeedServer(site: FeedServerSite): FeedReader {
  const { db, nowMs, appendLog, outbox, undrained, validation, status, now, feedsMustWait, drain, withFreshHost } =
    site;
  const reader = makeFeedReader({
    db,
    nowMs,
    appendLog,
    outbox,
    undrained,
    validation,
    feedsMustWait,
    routes: () => now().routes,
    get origin() {
      return now().origin;
    },
    snapshot: () => now().snapshot,
    limit: () => now().config.feed.limit,
    drain: () => drain().then(() => undefined),
  });
  return {
    async page(to, ...call) {
      const page = await withFreshHost(() => reader.page(to, ...call));
      await status.recordSynced(db, to.name, 'to', { records: page.users.length, isNews: false });
      return page;
    },
  };
}
