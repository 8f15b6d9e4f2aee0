/** One loop per peer, coming and going with the config. */
import type { Loop } from '../../runtime/loop.ts';

/** The loops of one kind of work. */
export interface PeerLoops {
  /**
   * Runs a loop for each of these peers and ends all others. A loop whose text beside the name is another than before is
   * replaced: the new one begins at once. The pass under way of a loop that ends is not cut short.
   */
  follow(wanted: ReadonlyMap<string, string>): void;
  wake(peer: string): void;
  /** Ends all, and waits for those that are ending. */
  stop(): Promise<void>;
}

/** A pass that began under the config before may take as long as a request and its work on the database. */
const LAST_PASS_MS = 120_000;

/** Makes none yet. `make` gives a loop that is not started. */
export function makePeerLoops(make: (peer: string) => Loop): PeerLoops {
  const running = new Map<string, { readonly loop: Loop; readonly made: string }>();
  const ending = new Set<Loop>();
  const end = (loop: Loop): void => {
    ending.add(loop);
    void loop.stop(LAST_PASS_MS).then(() => ending.delete(loop));
  };
  return {
    follow(wanted) {
      for (const [peer, { loop, made }] of running) {
        if (wanted.get(peer) === made) continue;
        running.delete(peer);
        end(loop);
      }
      for (const [peer, made] of wanted) {
        if (running.has(peer)) continue;
        const loop = make(peer);
        running.set(peer, { loop, made });
        loop.start();
      }
    },
    wake: (peer) => running.get(peer)?.loop.wake(),
    async stop() {
      const all = [...[...running.values()].map(({ loop }) => loop), ...ending];
      running.clear();
      await Promise.all(all.map((loop) => loop.stop()));
    },
  };
}
