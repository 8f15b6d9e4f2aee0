/** Progress of long work on stderr: a bar where a person watches, a line every few seconds elsewhere. */
import { SingleBar } from 'cli-progress';
import type { Terminal } from './context.ts';
import { formatCount, formatDuration } from '../runtime/figures.ts';

/** Progress of one piece of work. */
export interface Progress {
  /** Users done so far, of so many; `total` may change while the work goes on. */
  update(done: number, total: number): void;
  /** A remark in between. */
  note(text: string): void;
  /** Ends it; may be called twice. */
  stop(): void;
}

const LINE_EVERY_MS = 3_000;
/** A rate measured over less says nothing. */
const RATE_FROM_MS = 500;

/** @param name what is being done: `baseline`, `feed homes` */
export function startProgress(terminal: Terminal, name: string): Progress {
  const pace = makePace();
  return terminal.isInteractive ? bar(terminal, name, pace) : lines(terminal, name, pace);
}

type Pace = (done: number, total: number) => string;

/** `120 users/s, 3 min left`; counts from the first figure it sees, as work may go on from where it once stopped. */
function makePace(): Pace {
  let first: { readonly done: number; readonly atMs: number } | undefined;
  return (done, total) => {
    first ??= { done, atMs: performance.now() };
    const passedMs = performance.now() - first.atMs;
    if (done <= first.done || passedMs < RATE_FROM_MS) return '';
    const perSecond = ((done - first.done) / passedMs) * 1000;
    const left = done < total ? `, ${formatDuration(Math.max(1, (total - done) / perSecond))} left` : '';
    return `${formatCount(Math.max(1, Math.round(perSecond)), 'user')}/s${left}`;
  };
}

function bar(terminal: Terminal, name: string, pace: Pace): Progress {
  const single = new SingleBar({
    format: `${name} {bar} {percentage}% {value}/{total} {pace}`,
    stream: process.stderr,
    hideCursor: true,
    gracefulExit: true,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
  });
  let isShown = false;
  const stop = (): void => {
    if (isShown) single.stop();
    isShown = false;
  };
  return {
    update(done, total) {
      const payload = { pace: pace(done, total) };
      if (isShown) {
        single.setTotal(total);
        single.update(done, payload);
      } else {
        single.start(total, done, payload);
        isShown = true;
      }
    },
    note(text) {
      stop();
      terminal.err(`${text}\n`);
    },
    stop,
  };
}

function lines(terminal: Terminal, name: string, pace: Pace): Progress {
  let saidAtMs = performance.now();
  return {
    update(done, total) {
      const now = pace(done, total);
      if (performance.now() - saidAtMs < LINE_EVERY_MS) return;
      saidAtMs = performance.now();
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      terminal.err(`${name}: ${done} of ${total} (${percent}%)${now === '' ? '' : `, ${now}`}\n`);
    },
    note: (text) => terminal.err(`${text}\n`),
    stop: () => undefined,
  };
}
