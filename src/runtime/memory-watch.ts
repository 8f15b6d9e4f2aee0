/**
 * Keeps a process small. Node.js lets garbage lie until the heap has doubled, and large texts and buffers until there is much
 * of them: somebody who sends large things one after the other would make it grow by what nobody needs any more.
 */

/** So much is taken for idle and ordinary work; beyond it, garbage is looked for. */
const LARGE_BYTES = 128 * 1024 * 1024;
const EVERY_MS = 50;
/** Looking takes some hundredths of a second: no more of the time than a tenth, */
const PAUSE = 10;
/** but half of it where there is little left. */
const URGENT_BYTES = 160 * 1024 * 1024;
const URGENT_PAUSE = 1;
/** What is still there after a look is in use: only this much more is worth the next one. */
const GROWN_BYTES = 4 * 1024 * 1024;

/** What the watch needs. */
export interface MemoryWatchDeps {
  /** Undefined where Node.js was started without `--expose-gc`: then nothing is watched. */
  readonly collect: (() => void) | undefined;
  readonly residentBytes: () => number;
  /** A clock that is never set back. */
  readonly nowMs: () => number;
}

/** That of this process. */
export const processMemory: MemoryWatchDeps = {
  collect: globalThis.gc && (() => globalThis.gc?.({ type: 'major', execution: 'sync' })),
  residentBytes: () => process.memoryUsage.rss(),
  nowMs: () => performance.now(),
};

/** A watch that goes on. */
export interface MemoryWatch {
  /** Looks now, for something large is about to be made. */
  makeRoom(): void;
  end(): void;
}

/** Begins to watch. Keeps no process alive. */
export function watchMemory({ collect, residentBytes, nowMs }: MemoryWatchDeps): MemoryWatch {
  if (collect === undefined) return { makeRoom: () => undefined, end: () => undefined };
  let [lastMs, tookMs, keptBytes] = [0, 0, 0];
  const makeRoom = (): void => {
    const [startMs, resident] = [nowMs(), residentBytes()];
    const pause = resident < URGENT_BYTES ? PAUSE : URGENT_PAUSE;
    keptBytes = Math.min(keptBytes, resident);
    if (resident < LARGE_BYTES || resident < keptBytes + GROWN_BYTES || startMs < lastMs + pause * tookMs) return;
    collect();
    lastMs = nowMs();
    tookMs = lastMs - startMs;
    keptBytes = residentBytes();
  };
  const timer = setInterval(makeRoom, EVERY_MS);
  timer.unref();
  return { makeRoom, end: () => clearInterval(timer) };
}
