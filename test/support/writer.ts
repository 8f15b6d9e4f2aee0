/** A host that is never idle, and how long its statements take. */
import type { Host } from './osclass/host.ts';

/** What became of the statements. */
export interface Written {
  readonly count: number;
  /** Milliseconds of the one that took longest. */
  readonly slowestMs: number;
}

/** Statements one after the other, until told to stop. */
export interface Writer {
  /** Waits for the last one and closes the connection. Throws what a statement threw. */
  stop(): Promise<Written>;
}

/**
 * Edits users 1 … `users` in turn, or with 0 only reads, on a connection of its own.
 *
 * @param pauseMs between two statements; 10 unless given
 */
export function keepWriting(host: Host, users: number, pauseMs = 10): Writer {
  const over = new AbortController();
  let count = 0;
  let slowestMs = 0;
  const running = (async () => {
    while (!over.signal.aborted) {
      const started = performance.now();
      if (users === 0) await host.select('SELECT s_name FROM {user} WHERE pk_i_id = 1');
      else
        await host.write('UPDATE {user} SET s_website = ? WHERE pk_i_id = ?', [
          `https://example.com/${count}`,
          1 + (count % users),
        ]);
      slowestMs = Math.max(slowestMs, performance.now() - started);
      count += 1;
      await new Promise((resolve) => {
        setTimeout(resolve, pauseMs);
      });
    }
  })();
  running.catch(() => undefined);
  return {
    async stop() {
      over.abort();
      await running;
      await host.close();
      return { count, slowestMs };
    },
  };
}
