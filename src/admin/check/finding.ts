/** One line of `account-sync check`. */
import { ERRORS, SyncError, remedyOf } from '../../model/errors.ts';
import { escapeOnOneLine } from '../../runtime/escape-controls.ts';

/** What was looked at, how it is, and what to do about it. */
export interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warn' | 'fail';
  readonly message: string;
  /** Only where something is wrong. */
  readonly remedy?: string;
}

/** All is well. */
export const ok = (check: string, message: string): Finding => ({ check, result: 'ok', message });

/** Works, but a person should know of it, or act before it fails. */
export const warn = (check: string, message: string, remedy: string): Finding => ({
  check,
  result: 'warn',
  message,
  remedy,
});

/** Does not work. */
export const fail = (check: string, message: string, remedy: string): Finding => ({
  check,
  result: 'fail',
  message,
  remedy,
});

/** A check that could not be made, or whose failure is an error of the registry. */
export function failed(check: string, error: unknown): Finding {
  const { message, remedy } = described(error);
  return fail(check, message, remedy);
}

function described(error: unknown): { message: string; remedy: string } {
  if (error instanceof SyncError && error.code !== 'INTERNAL') {
    return { message: error.message, remedy: remedyOf(error) };
  }
  const cause = error instanceof SyncError ? error.cause : error;
  const what = cause instanceof Error ? cause.message : String(cause);
  return { message: `${ERRORS.INTERNAL.meaning} ${what}`, remedy: 'Please report it.' };
}

/** A difference of clocks: said at half of what makes peers refuse our records. */
export function clockFinding(check: string, whose: string, skewMs: number): Finding {
  const away = Math.abs(skewMs);
  if (away <= CLOCK_WARN_MS) return ok(check, `${whose} clock agrees with ours`);
  const message = `${whose} clock is ${Math.round(away / 1000)} s ${skewMs > 0 ? 'behind' : 'ahead of'} ours`;
  return (away <= CLOCK_REFUSED_MS ? warn : fail)(check, message, ERRORS.CLOCK_SKEW.remedy);
}

const CLOCK_WARN_MS = 30_000;
const CLOCK_REFUSED_MS = 60_000;

/** For a terminal; the remedy stands below. */
export function findingLine({ check, result, message, remedy }: Finding): string {
  const head = `${result.padEnd(4)}  ${check.padEnd(14)}  ${escapeOnOneLine(message)}`;
  return remedy === undefined ? head : `${head}\n${' '.repeat(22)}→ ${remedy}`;
}
