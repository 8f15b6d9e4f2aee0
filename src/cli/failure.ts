/** Failures in the words of the registry: what happened, what to do, and the exit code. */
import { CommanderError } from 'commander';
import { ConfigError } from '../config/problem.ts';
import { ERRORS, SyncError, remedyOf } from '../model/errors.ts';

/** A failure as the person at the terminal gets to see it. */
export interface Explained {
  /** For stderr; empty where everything has been said. */
  readonly text: string;
  readonly code: 0 | 1 | 2 | 3;
}

/** @param showStack for debugging only: a stack says nothing to an administrator */
export function explainError(error: unknown, showStack: boolean): Explained {
  // commander has printed it.
  if (error instanceof CommanderError) return { text: '', code: error.exitCode === 0 ? 0 : 2 };
  const stack = showStack ? stackOf(error) : '';
  if (error instanceof ConfigError) return { text: `${error.format()}\n${stack}`, code: 2 };
  if (error instanceof SyncError && error.code !== 'INTERNAL') {
    const { exit } = ERRORS[error.code];
    return { text: `${error.code}: ${error.message}\n  → ${remedyOf(error)}\n${stack}`, code: exit };
  }
  const deepest = error instanceof SyncError && error.cause instanceof Error ? error.cause : error;
  const what = deepest instanceof Error ? deepest.message : String(deepest);
  const advice = showStack ? 'Please report it.' : 'Please report it, with what LOG_LEVEL=debug adds.';
  return { text: `INTERNAL: ${ERRORS.INTERNAL.meaning} ${what}\n  → ${advice}\n${stack}`, code: 1 };
}

/** The stack, and those of what caused it. */
function stackOf(error: unknown): string {
  let text = '';
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    text += `${depth === 0 ? '' : 'caused by '}${at.stack ?? at.message}\n`;
  }
  return text;
}
