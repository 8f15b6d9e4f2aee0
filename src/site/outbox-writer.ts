/** The outboxes of one site, as those see them who put users in. */
import type { OwnTables } from '../db/catalog.ts';
import type { OutboxWriter } from '../store/ports.ts';
import { dropUsers, enqueue, renumberEntries, usersWaiting } from '../store/outbox.ts';

/**
 * @param names of the peers in the config in force
 * @param removed is told of every user that is removed here
 */
export function makeOutboxWriter(
  own: OwnTables,
  names: () => readonly string[],
  removed: NonNullable<OutboxWriter['removed']>,
): OutboxWriter {
  return {
    enqueue: (runner, entries, at) => enqueue(runner, own, entries, at),
    usersWaiting: (runner, userIds) => usersWaiting(runner, own, names(), userIds),
    dropUsers: (runner, userIds) => dropUsers(runner, own, names(), userIds),
    renumber: (runner, moves, at) => renumberEntries(runner, own, moves, at),
    removed,
  };
}
