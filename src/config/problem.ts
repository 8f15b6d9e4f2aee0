/** What is wrong with a config file, and where. */

/** One problem. `line` and `column` count from 1 and are null where the file as a whole is meant. */
export interface Problem {
  /** The path of the config file as it was given. */
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  /** Such as `peers[0].url`; empty where the file as a whole is meant. */
  readonly path: string;
  /** For people; never holds a secret. */
  readonly message: string;
}

/**
 * All problems of one config file at once, in the order of their places. `message` is the same text as `format()`.
 * Stands for exit code 2.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 2;
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const sorted = problems.toSorted(byPlace);
    super(sorted.map(formatProblem).join('\n'));
    this.problems = sorted;
  }

  /** One line per problem, such as `config.yaml:12:10 peers[0].url: expected an http(s) URL (got "nope")`. */
  format(): string {
    return this.message;
  }
}

function formatProblem(problem: Problem): string {
  const place = problem.line === null ? ':' : `:${problem.line}:${problem.column ?? 1}`;
  const path = problem.path === '' ? '' : ` ${problem.path}:`;
  return `${problem.file}${place}${path} ${problem.message}`;
}

function byPlace(a: Problem, b: Problem): number {
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}
