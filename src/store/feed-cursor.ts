/** How far the feed from each peer has come, and whose users it brought: table `peer`. */
import { sql } from 'kysely';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { isReinstalled, type FeedOwner } from '../model/feed-owner.ts';
import { own } from '../db/own-tables.ts';
import { unparkForgotten } from './parked.ts';

/**
 * The highest user id taken from the peer; 0 at first, and where it was noted of another owner, or of nobody: then everybody
 * comes again, which changes nothing where it was needless. `SELECT last_user_id, cursor_of FROM peer WHERE name = ?`
 */
export async function readCursor(runner: Runner, peer: string, owner: FeedOwner): Promise<number> {
  const { rows } = await sql<{ last_user_id: string; cursor_of: string | null }>`
    SELECT last_user_id, cursor_of FROM ${own.peer} WHERE name = ${peer}`.execute(runner);
  const [row] = rows;
  return row?.cursor_of === owner ? Number(row.last_user_id) : 0;
}

/** Where a page ended. */
export interface Reached {
  readonly cursor: number;
  readonly owner: FeedOwner;
  /** There is no more: since every cursor of an owner began at 0, that was a feed from the start. */
  readonly done: boolean;
  readonly progress: string | null;
  readonly records: number;
}

/** Moves the cursor, keeps the progress message, and counts the records that came with the page. */
export async function moveCursor(
  runner: Runner,
  peer: string,
  { cursor, owner, done, progress, records }: Reached,
  nowMs: number,
): Promise<void> {
  await sql`
    INSERT INTO ${own.peer} (name, last_user_id, cursor_of, fed_of, feed_message, synced_from, received_total)
    VALUES (${peer}, ${cursor}, ${owner}, ${done ? owner : null}, ${progress}, ${toSqlTime(nowMs)}, ${records})
    ON DUPLICATE KEY UPDATE last_user_id = VALUES(last_user_id), cursor_of = VALUES(cursor_of),
      fed_of = COALESCE(VALUES(fed_of), fed_of),
      feed_message = COALESCE(VALUES(feed_message), feed_message), synced_from = VALUES(synced_from),
      received_total = received_total + VALUES(received_total)`.execute(runner);
}

/** Everybody of that owner was asked for, from the first to the last. */
export async function noteFed(runner: Runner, peer: string, owner: FeedOwner): Promise<void> {
  await sql`INSERT INTO ${own.peer} (name, fed_of) VALUES (${peer}, ${owner})
    ON DUPLICATE KEY UPDATE fed_of = VALUES(fed_of)`.execute(runner);
}

/**
 * What a peer with a daemon says who it is. Where the last feed was noted with less (by its protocol, or by the name of a
 * peer that told no id yet), it is taken for one of this installation: an update is what happens all the time. See
 * {@link unparkForgotten}, which is done first: if the daemon ends in between, it is done again.
 */
export async function noteInstallation(runner: Runner, peer: string, owner: FeedOwner): Promise<void> {
  const { rows } = await sql<{ installation: string | null }>`
    SELECT installation FROM ${own.peer} WHERE name = ${peer}`.execute(runner);
  if (isReinstalled(rows[0]?.installation ?? null, owner)) await unparkForgotten(runner, peer);
  const isNameAlone = owner.startsWith('native site ');
  const lesser = isNameAlone ? sql`fed_of = 'native'` : sql`(fed_of = 'native' OR fed_of LIKE 'native site %')`;
  await sql`INSERT INTO ${own.peer} (name, installation) VALUES (${peer}, ${owner})
    ON DUPLICATE KEY UPDATE installation = VALUES(installation),
      fed_of = IF(${lesser}, VALUES(installation), fed_of)`.execute(runner);
}

/** Feeds from all peers start over. */
export async function resetCursors(runner: Runner): Promise<void> {
  await sql`UPDATE ${own.peer} SET last_user_id = 0, cursor_of = NULL, fed_of = NULL`.execute(runner);
}
