import type { Terminal } from '../../src/cli/context.ts';

/** A terminal that shows nothing and that nobody stops. */
export const SILENT_TERMINAL: Terminal = {
  env: {},
  out: () => undefined,
  err: () => undefined,
  paint: () => undefined,
  isInteractive: false,
  isColoured: false,
  untilStopped: () => new AbortController().signal,
  noteLevel: () => undefined,
};
