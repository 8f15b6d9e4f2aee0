/** Feeds that peers take from a site: what src/feed can do, put together with what is known of each peer. */
import type { FeedReader } from '../feed/reader.ts';
import type { Runner } from '../db/transaction.ts';
import type { PeerStatus } from '../store/peer-status.ts';

/** What it needs of the site. */
export interface ServingSite {
  readonly db: Runner;
  readonly status: Pick<PeerStatus, 'recordSynced'>;
  /** Looks at the host again if its tables turn out to have changed. */
  readonly looking: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Serves the pages of a reader, and counts the records in them. */
export function makeServing({ db, status, looking }: ServingSite, reader: FeedReader): FeedReader {
  return {
    async page(to, ...call) {
      const page = await looking(() => reader.page(to, ...call));
      await status.recordSynced(db, to.name, 'to', { records: page.users.length, isNews: false });
      return page;
    },
  };
}
