/** Work that finds the host other than it was last seen: a plugin came or went, Osclass was upgraded. */
import { SyncError } from '../model/errors.ts';

/** Runs the work; where a column or table turns out to be gone or new, looks at the host and tries once more. */
export function retryOnHostChange(look: () => Promise<void>): <T>(work: () => Promise<T>) => Promise<T> {
  return async (work) => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SyncError) || error.code !== 'HOST_CHANGED') throw error;
      await look();
      return await work();
    }
  };
}
