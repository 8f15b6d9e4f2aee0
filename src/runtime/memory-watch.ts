/**
 * Keeps a process small. Node.js lets garbage lie until the heap has doubled, and large texts and buffers until there is much
 * of them: somebody who sends large things one after the other would make it grow by what nobody needs any more.
 */

/** So much is taken for idle and ordinary work; beyond it, garbage is looked for. */
const LARGE_BYTES = 136 * 1024 * 1024;
const EVERY_MS = 50;
/** Looking takes some hundredths of a second: no more of the time than a tenth. */
const SHARE = 10;

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

/** Begins to watch; call what it gives to end that. Keeps no process alive. */
export function watchMemory({ collect, residentBytes, nowMs }: MemoryWatchDeps): () => void {
  if (collect === undefined) return () => undefined;
  let notBeforeMs = 0;
  const look = (): void => {
    const startMs = nowMs();
    if (startMs < notBeforeMs || residentBytes() < LARGE_BYTES) return;
    collect();
    const endMs = nowMs();
    notBeforeMs = endMs + SHARE * (endMs - startMs);
  };
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
