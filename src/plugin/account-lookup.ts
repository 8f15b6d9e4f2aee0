/**
 * Whether an account is still at a plugin peer: its feed is asked for users from that one on. A removal names an address
 * and nothing else, so before one is carried out, here or there, it is made sure whose it is.
 */
import { SyncError } from '../model/errors.ts';
import type { PluginClient } from './client.ts';
import { accountIdOf } from './account.ts';
import type { PluginRow } from './row.ts';
import { pullPage } from './pull-page.ts';

/** What the feed says of an account. */
export type AccountLookup =
  | { readonly kind: 'there'; readonly row: PluginRow }
  /** Deleted; or blocked or inactive, for those are in no feed. */
  | { readonly kind: 'absent' }
  /** The peer gives no feed, or it is too long to look through. */
  | { readonly kind: 'unknown' };

/** A page has some 200 users; more are not asked for while the peer waits for an answer. */
const MOST_PAGES = 20;

/** The account with an id. Throws PEER_… errors where the peer cannot be asked now. */
export async function lookUpAccount(
  client: PluginClient,
  accountId: string,
  signal?: AbortSignal,
): Promise<AccountLookup> {
  const after = Number(accountId) - 1;
  if (!Number.isSafeInteger(after) || after < 0) return { kind: 'unknown' };
  const rows = await pageAfter(client, after, signal);
  if (rows === undefined) return { kind: 'unknown' };
  const row = rows.users.find((one) => accountIdOf(one) === accountId);
  return row === undefined ? { kind: 'absent' } : { kind: 'there', row };
}

/** The first account of a kind, where its id was never said. Throws as {@link lookUpAccount} does. */
export async function searchFeed(
  client: PluginClient,
  isWanted: (row: PluginRow) => boolean | Promise<boolean>,
  { signal, mostPages = MOST_PAGES }: { readonly signal?: AbortSignal | undefined; readonly mostPages?: number } = {},
): Promise<AccountLookup> {
  let after = 0;
  for (let page = 0; page < mostPages; page++) {
    const rows = await pageAfter(client, after, signal);
    if (rows === undefined) return { kind: 'unknown' };
    for (const row of rows.users) if (await isWanted(row)) return { kind: 'there', row };
    if (rows.next <= after) return { kind: 'absent' };
    after = rows.next;
  }
  return { kind: 'unknown' };
}

async function pageAfter(
  client: PluginClient,
  after: number,
  signal: AbortSignal | undefined,
): Promise<{ users: readonly PluginRow[]; next: number } | undefined> {
  try {
    const { rows, next } = await pullPage(client, after, signal);
    return { users: rows, next };
  } catch (error) {
    // A key that is refused is refused for everything; the call that follows says so.
    if (error instanceof SyncError && error.code === 'PEER_REFUSED_KEY') return undefined;
    throw error;
  }
}
