/**
 * A page of a feed whose answer something refuses on its way, for what is in it: less is asked for at once, until the one
 * user who is to blame stands alone; the feed goes on behind that one.
 */
import { SyncError, type ErrorCode } from '../model/errors.ts';
import type { FeedPage } from '../model/record.ts';

/** Asks for a page; throws PEER_… errors. */
export type Fetch = (
  peer: string,
  after: number,
  limit: number,
  options: { trace: string; dryRun: boolean; signal?: AbortSignal },
) => Promise<FeedPage>;

/** See FeedPullerDeps. */
interface Asking {
  readonly fetch: Fetch;
  readonly fetchEnd: (...call: Parameters<Fetch>) => Promise<FeedPage | undefined>;
}

/** What may be about what is in an answer. */
const MAY_BE_CONTENT: ReadonlySet<ErrorCode> = new Set([
  'PEER_BLOCKED',
  'PEER_BAD_ANSWER',
  'PEER_FAILED',
  'PEER_UNREACHABLE',
  'PEER_TIMEOUT',
  'BODY_TOO_LARGE',
] as const);

/**
 * The page, or as much of it as gets through. With `leftOut`: the first user after `after` does not get through, and the
 * page says only where to go on. Throws what the peer throws where a page without users does not get through either, and
 * `PEER_BLOCKED` for such a user of a peer that knows no pages without.
 */
export async function fetchAround(
  { fetch, fetchEnd }: Asking,
  peer: string,
  after: number,
  most: number,
  options: Parameters<Fetch>[3],
): Promise<{ readonly page: FeedPage; readonly leftOut?: SyncError }> {
  for (let limit = most; ; limit = Math.ceil(limit / 2)) {
    try {
      return { page: await fetch(peer, after, limit, options) };
    } catch (error) {
      if (!(error instanceof SyncError) || !MAY_BE_CONTENT.has(error.code)) throw error;
      const end = await endOf(fetchEnd, peer, after, options);
      if (end === 'away') throw error;
      if (limit > 1) continue;
      const message = `Only the answer with one user fails: the first after ID ${after} of ${peer}. ${error.message}`;
      if (end === 'unknown') throw new SyncError('PEER_BLOCKED', message, { cause: error });
      const whom = `The user with ID ${end.next} of ${peer} is left out: only the answer with that one fails. ${error.message}`;
      return { page: end, leftOut: new SyncError('PEER_BLOCKED', whom, { cause: error }) };
    }
  }
}

/** Where a page of one user ends. `unknown`: the peer is there, and knows no such page; `away`: it does not answer. */
async function endOf(
  fetchEnd: Asking['fetchEnd'],
  peer: string,
  after: number,
  options: Parameters<Fetch>[3],
): Promise<FeedPage | 'unknown' | 'away'> {
  try {
    return (await fetchEnd(peer, after, 1, options)) ?? 'away';
  } catch (error) {
    if (!(error instanceof SyncError)) throw error;
    return error.code === 'REQUEST_INVALID' ? 'unknown' : 'away';
  }
}
