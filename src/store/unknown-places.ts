/** Places in addresses from peers that this site does not know: counted for each peer, reported once for each name. */
import { sql } from 'kysely';
import { bindList } from '../db/bind.ts';
import { toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { own } from '../db/own-tables.ts';

/** Characters of the column. */
const LENGTH = 180;

/**
 * Counts them (each mention counts) and gives those that the peer had not named before. Two transactions at once may
 * both give the same.
 *
 *     SELECT place … WHERE peer = ? AND place IN (…); INSERT … ON DUPLICATE KEY UPDATE addresses = addresses + …
 */
export async function countUnknownPlaces(
  runner: Runner,
  peer: string,
  mentions: readonly string[],
  nowMs: number,
): Promise<Set<string>> {
  if (mentions.length === 0) return new Set();
  const counts = new Map<string, number>();
  for (const mention of mentions) counts.set(keyOf(mention), (counts.get(keyOf(mention)) ?? 0) + 1);
  const { rows } = await sql<{ place: string }>`
    SELECT place FROM ${own.unknownPlace}
    WHERE peer = ${peer} AND place IN (${bindList(counts.keys())})`.execute(runner);
  const now = toSqlTime(nowMs);
  // In one order everywhere, so that two transactions do not wait for each other.
  const values = [...counts]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([place, addresses]) => sql`(${peer}, ${place}, ${addresses}, ${now}, ${now})`);
  await sql`
    INSERT INTO ${own.unknownPlace} (peer, place, addresses, first_at, last_at) VALUES ${sql.join(values)}
    ON DUPLICATE KEY UPDATE addresses = addresses + VALUES(addresses), last_at = VALUES(last_at)`.execute(runner);
  const known = new Set(rows.map((row) => row.place));
  return new Set(mentions.filter((mention) => !known.has(keyOf(mention))));
}

/** How many different places each peer has named that are unknown here. */
export async function unknownPlacesByPeer(runner: Runner): Promise<Map<string, number>> {
  const { rows } = await sql<{ peer: string; n: string }>`
    SELECT peer, COUNT(*) AS n FROM ${own.unknownPlace} GROUP BY peer`.execute(runner);
  return new Map(rows.map((row) => [row.peer, Number(row.n)]));
}

function keyOf(place: string): string {
  return Array.from(place.toWellFormed()).slice(0, LENGTH).join('').trim();
}
