/** What came of a row, as it is printed. */
import type { Met } from './people.ts';

/** One row played. */
export interface Outcome {
  readonly name: string;
  /** What was seen, for people to read. */
  readonly facts: readonly string[];
  /** What is wrong; empty: nothing. */
  readonly flaws: readonly string[];
}

/** What people met, in a few words. */
export function factsOf(who: string, { statements, errors, slowestMs }: Met): string {
  const kinds = Object.entries(errors).map(([errno, count]) => `${count} × ${errno}`);
  const met = kinds.length === 0 ? 'no error' : `errors: ${kinds.join(', ')}`;
  return `${who}: ${statements} statements, ${met}, slowest ${Math.round(slowestMs)} ms`;
}

/** Several people together. */
export function together(all: readonly Met[]): Met {
  const errors: Record<string, number> = {};
  for (const met of all) {
    for (const [errno, count] of Object.entries(met.errors)) errors[errno] = (errors[errno] ?? 0) + count;
  }
  return {
    statements: all.reduce((sum, { statements }) => sum + statements, 0),
    errors,
    slowestMs: Math.max(...all.map(({ slowestMs }) => slowestMs)),
  };
}

/** `ok   name` and what was seen, line by line. */
export function linesOf({ name, facts, flaws }: Outcome): string[] {
  const verdict = flaws.length === 0 ? 'ok  ' : 'FAIL';
  return [`${verdict} ${name}`, ...facts.map((fact) => `       ${fact}`), ...flaws.map((flaw) => `     ! ${flaw}`)];
}

/** The codes of what a daemon said at this level, each once. */
export function codesSaid(said: readonly string[], level: 'warn' | 'error'): string[] {
  const codes = said
    .map((line) => JSON.parse(line) as { level: string; code?: string; err?: { code?: string }; msg: string })
    .filter((line) => line.level === level)
    .map(({ code, err, msg }) => code ?? err?.code ?? msg);
  return [...new Set(codes)].toSorted();
}

/** What a line of a daemon says, and what it says to do about it. */
export function messageOf(line: string | undefined): string {
  if (line === undefined) return 'nothing';
  const { err, msg, remedy } = JSON.parse(line) as { err?: { message?: string }; msg?: string; remedy?: string };
  return [err?.message ?? msg, ...(remedy === undefined ? [] : [remedy])].join(' – ');
}
