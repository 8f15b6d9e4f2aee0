/** Feeds that peers take from a site: what src/feed can do, put together with what the site can. */
import type { Kysely } from 'kysely';
import { makeFeedReader, type FeedReader } from '../feed/reader.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import type { AppendLog, OutboxWriter } from '../store/ports.ts';
import type { Unread } from '../store/undrained.ts';
import type { InForce } from './active-config.ts';

/** What it needs of the site. */
export interface ServingSite {
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
  readonly appendLog: AppendLog;
  readonly outbox: Pick<OutboxWriter, 'enqueue'>;
  readonly unread: Unread;
  readonly status: Pick<PeerStatus, 'recordSynced'>;
  readonly now: () => InForce;
  readonly feedsMustWait: () => Promise<boolean>;
  readonly drain: () => Promise<unknown>;
  /** Looks at the host again if its tables turn out to have changed. */
  readonly looking: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Serves pages, and counts the records in them. */
export function makeServing(site: ServingSite): FeedReader {
  const { db, nowMs, appendLog, outbox, unread, status, now, feedsMustWait, drain, looking } = site;
  const reader = makeFeedReader({
    db,
    nowMs,
    appendLog,
    outbox,
    unread,
    feedsMustWait,
    routes: () => now().routes,
    get origin() {
      return now().origin;
    },
    parts: () => now().parts,
    limit: () => now().config.feed.limit,
    drain: () => drain().then(() => undefined),
  });
  return {
    async page(to, ...call) {
      const page = await looking(() => reader.page(to, ...call));
      await status.recordSynced(db, to.name, 'to', { records: page.users.length, isNews: false });
      return page;
    },
  };
}
