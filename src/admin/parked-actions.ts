/**
 * What a person does about parked entries: those that came in, and those of our outboxes. Each action leaves a log record that
 * says who it was: `PROCESS` for records of a peer, `STREAM` for what goes to one.
 */
import { dropParked, readParked, type ParkedRow } from '../store/parked.ts';
import { inTransaction, type Runner } from '../db/transaction.ts';
import { parseParkedId } from '../store/entry-cursor.ts';
import { dropEntry, retryEntry, type EntryName } from '../store/outbox.ts';
import type { RetryOutcome } from '../model/response-schemas.ts';
import type { Actor } from '../server/deps.ts';
import type { Site } from '../site/site.ts';

/** Tries one again, now; undefined if nothing is parked under the id. An entry of an outbox goes out with the next delivery. */
export async function retryParked(
  site: Site,
  parkedId: string,
  nowMs: number,
  by: Actor,
): Promise<RetryOutcome | undefined> {
  const { db } = site;
  const key = parseParkedId(parkedId);
  if (key === undefined) return undefined;
  if (key.direction === 'out') {
    return await inTransaction(db, async (trx) => {
      if (!(await retryEntry(trx, toName(key), nowMs))) return undefined;
      await note(site, trx, by, { action: 'retry', parkedId, outgoing: toName(key), said: 'goes out again' });
      return { result: 'waiting' as const };
    });
  }
  const [row] = await readParked(db, { ids: [key.id] });
  if (row === undefined) return undefined;
  const { outcomes } = await site.retryParked({ ids: [key.id] });
  const [outcome] = outcomes;
  const came: RetryOutcome =
    outcome === undefined
      ? { result: 'parked', message: `The peer ${row.peer} is not in the config any more.` }
      : {
          result: outcome.result,
          ...(outcome.code === undefined ? {} : { code: outcome.code }),
          ...(outcome.message === undefined ? {} : { message: outcome.message }),
        };
  await note(site, db, by, { action: 'retry', parkedId, incoming: row, said: came.result });
  return came;
}

/** Gives one up; false if nothing is parked under the id. */
export async function dropParkedEntry(site: Site, parkedId: string, by: Actor): Promise<boolean> {
  const key = parseParkedId(parkedId);
  if (key === undefined) return false;
  return await inTransaction(site.db, async (trx) => {
    if (key.direction === 'out') {
      if (!(await dropEntry(trx, toName(key)))) return false;
      await note(site, trx, by, { action: 'drop', parkedId, outgoing: toName(key), said: 'given up' });
      return true;
    }
    const [row] = await readParked(trx, { ids: [key.id] });
    if (row === undefined || !(await dropParked(trx, key.id))) return false;
    await note(site, trx, by, { action: 'drop', parkedId, incoming: row, said: 'given up' });
    return true;
  });
}

interface Action {
  readonly action: 'retry' | 'drop';
  readonly parkedId: string;
  readonly incoming?: ParkedRow;
  readonly outgoing?: EntryName;
  readonly said: string;
}

async function note(
  { activity }: Site,
  runner: Runner,
  by: Actor,
  { action, parkedId, incoming, outgoing, said }: Action,
): Promise<void> {
  const about =
    incoming === undefined
      ? { kind: outgoing?.kind, ...(outgoing?.kind === 'user' ? { userId: outgoing.ref } : {}) }
      : {
          kind: incoming.record.kind,
          uid: incoming.record.uids[0],
          parkedFor: incoming.code,
          ...(incoming.userId === null ? {} : { userId: incoming.userId }),
        };
  await activity.append(runner, [
    {
      type: incoming === undefined ? 'STREAM' : 'PROCESS',
      peer: incoming?.peer ?? outgoing?.peer ?? null,
      key: by.keyDigest,
      ip: by.ip,
      trace: by.trace,
      status: 'OK',
      response: `${action === 'retry' ? 'Tried again' : 'Dropped'} by ${by.name}: ${said}`,
      content: { operation: action, by: by.name, parked: parkedId, ...about },
    },
  ]);
}

function toName(key: { peer: string; kind: 'u' | 'r'; ref: number }): EntryName {
  return { peer: key.peer, kind: key.kind === 'u' ? 'user' : 'removal', ref: key.ref };
}
