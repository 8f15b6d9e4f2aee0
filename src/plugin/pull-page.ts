/** One page of a feed from a plugin peer: as many users as the peer gives at once, until it gives none. */
import { SyncError } from '../model/errors.ts';
import type { PluginClient } from './client.ts';
import { readRow, type PluginRow } from './row.ts';

/** A page, read. */
export interface PulledPage {
  readonly rows: readonly PluginRow[];
  /** Why rows were left out. */
  readonly skipped: readonly string[];
  /** All there were. */
  readonly count: number;
  /** Where the next page begins. */
  readonly next: number;
  /** The peer's own words; in its language. */
  readonly message: string;
}

/** Asks for the users after an id. Throws what the client throws, and `PEER_REFUSED_KEY` or `PEER_BAD_ANSWER`. */
export async function pullPage(client: PluginClient, after: number, signal?: AbortSignal): Promise<PulledPage> {
  const said = await client.call('userFeedRequest', [['ascLastUserId', String(after)]], signal);
  if (said.status !== 'OK') {
    throw new SyncError('PEER_REFUSED_KEY', `HTTP 200: ${said.message.slice(0, 300)}`, { httpStatus: 200 });
  }
  const rows: PluginRow[] = [];
  const skipped: string[] = [];
  let next = after;
  for (const element of said.data) {
    next = Math.max(next, idOf(element));
    const reading = readRow(element);
    if (reading.kind === 'row') rows.push(reading.row);
    else skipped.push(reading.kind === 'wrong' ? reading.why : 'pk_i_id or s_email is missing');
  }
  return { rows, skipped, count: said.data.length, next, message: said.message };
}

function idOf(element: unknown): number {
  const raw = (element as Record<string, unknown> | null)?.['pk_i_id'];
  const id = Number(raw);
  return Number.isSafeInteger(id) ? id : 0;
}
