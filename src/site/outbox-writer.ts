/** The outboxes of one site, as those see them who put users in. */
import type { OutboxWriter } from '../store/ports.ts';
import { dropUsers, enqueue, renumberEntries, usersWaiting } from '../store/outbox.ts';

/**
 * @param names of the peers in the config in force
 * @param removed is told of every user that is removed here
 */
export function makeOutboxWriter(
  names: () => readonly string[],
  removed: NonNullable<OutboxWriter['removed']>,
): OutboxWriter {
  return {
    enqueue: (runner, entries, at) => enqueue(runner, entries, at),
    usersWaiting: (runner, userIds) => usersWaiting(runner, names(), userIds),
    dropUsers: (runner, userIds) => dropUsers(runner, names(), userIds),
    renumber: (runner, moves, at) => renumberEntries(runner, moves, at),
    removed,
  };
}
