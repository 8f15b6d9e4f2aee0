/** Ctrl-C during work that goes page by page. */

/** Work that is to end when a page does. */
export interface PageStop {
  /** For the work: aborts when it is to end. */
  readonly signal: AbortSignal;
  /** A page is done, the next one begins. */
  onPage(): void;
  /** The work waits and does nothing. */
  onWait(): void;
}

/** A page that takes longer than this is cut off: it is done again next time. */
const PATIENCE_MS = 8_000;

/** When `asked` aborts, a page under way may end; a wait, or a page that takes too long, is cut off. */
export function afterPage(asked: AbortSignal): PageStop {
  const stop = new AbortController();
  let isWaiting = false;
  asked.addEventListener('abort', () => {
    if (isWaiting) stop.abort();
    else setTimeout(() => stop.abort(), PATIENCE_MS).unref();
  });
  return {
    signal: stop.signal,
    onPage() {
      isWaiting = false;
      if (asked.aborted) stop.abort();
    },
    onWait() {
      isWaiting = true;
      if (asked.aborted) stop.abort();
    },
  };
}
