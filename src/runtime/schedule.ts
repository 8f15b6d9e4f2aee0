/** node-schedule, wrapped once: nothing else imports it. */
import schedule from 'node-schedule';
import { SyncError } from '../model/errors.ts';

/** Something that goes on until stopped. */
export interface Stoppable {
  stop(): void;
}

/**
 * Calls `act` at each time of a node-schedule expression (six fields, seconds first, or five), in the machine's zone. A
 * time that comes while `act` still works is left out. What `act` throws goes to `onError`. `stop` starts no more calls
 * and does not wait for one under way. Throws `CONFIG_INVALID` for an expression that never comes true.
 */
export function every(
  expression: string,
  act: () => void | Promise<void>,
  onError: (error: unknown) => void = () => undefined,
): Stoppable {
  let busy = false;
  const call = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await act();
    } catch (error) {
      onError(error);
    } finally {
      busy = false;
    }
  };
  const job = expression.trim() === '' ? null : schedule.scheduleJob(expression, () => void call());
  // node-schedule answers null, or throws, depending on what is wrong with it.
  if (job === null || job === undefined) {
    throw new SyncError('CONFIG_INVALID', `not a schedule expression that ever comes true: "${expression}"`);
  }
  return { stop: () => void job.cancel() };
}
