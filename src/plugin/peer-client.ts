/** A peer that runs the PHP plugin, behind the shape of the client of our own protocol. */
import type { FeedPage } from '../model/record.ts';
import type { PeerClient } from '../peer/client.ts';
import { probe, type PluginClient } from './client.ts';
import { helloOf } from './hello.ts';
import { pullPage } from './pull-page.ts';
import type { Prepared } from './receive-rows.ts';
import type { PluginRow } from './row.ts';
import { sendRecords, type SendDeps } from './send-records.ts';

/** What it needs of the site. */
export interface PeerClientDeps {
  /** Names our key for the peer; see src/peer/key-digest.ts. */
  readonly keyDigest: string;
  readonly nowMs: () => number;
  /** What sending needs, as the site is at that time. */
  readonly outgoing: () => Omit<SendDeps, 'client' | 'stillOurs'>;
  /** Prepares the rows of a page. */
  readonly prepare: (rows: readonly PluginRow[]) => Promise<readonly Prepared[]>;
}

/** Closes `client` when it is closed itself. Nothing is weighed: the plugin is sent one user in a request. */
export function makePluginPeerClient(peer: string, client: PluginClient, deps: PeerClientDeps): PeerClient {
  const { keyDigest, nowMs, outgoing, prepare } = deps;
  return {
    hello: async () => helloOf(peer, nowMs()),
    feed: ({ after }, { signal }) => feedPage(client, prepare, after, signal),
    stream: (records, { signal, stillOurs }) =>
      sendRecords({ ...outgoing(), client, stillOurs }, peer, records, signal),
    probe: ({ signal }) => probe(client, signal),
    weigh: () => Promise.resolve(),
    keyDigest: () => keyDigest,
    close: () => client.close(),
    // Each call has a connection of its own.
    retire: () => undefined,
  };
}

async function feedPage(
  client: PluginClient,
  prepare: PeerClientDeps['prepare'],
  after: number,
  signal: AbortSignal | undefined,
): Promise<FeedPage> {
  const page = await pullPage(client, after, signal);
  const ready = await prepare(page.rows);
  const users = ready.flatMap((one) => (one.record === undefined ? [] : [one.record]));
  // Totals are said only in the peer's own language.
  const figures = { total: page.count, remaining: 0, retrieved: page.count, limit: page.count, after };
  return { status: 'OK', message: page.message, users, ...figures, next: page.next, done: page.count === 0 };
}
