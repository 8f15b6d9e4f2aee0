/** One row of the host safety matrix, and what came of it. */
import type { Stage } from './stage.ts';

/** As the servers are told apart. */
export type ServerKind = 'mariadb' | 'mysql';

/** Something that happens to a site while it is in use. */
export interface Row {
  readonly name: string;
  /** In the small part, which `npm test` runs. */
  readonly small?: boolean;
  /** The servers it is played on; absent: all. */
  readonly on?: ServerKind;
  /** The daemon's own account, with the rights that `install` prints, in place of the administrator's. */
  readonly ownAccount?: boolean;
  /** What happens. The site is written to all the while. */
  readonly happen: (stage: Stage) => Promise<unknown>;
  /** What the daemon must say, in its log or in `/health`; absent: there is nothing to say. */
  readonly says?: RegExp;
  /** What a person does about it, as the daemon said; absent: nothing is needed. */
  readonly repair?: (stage: Stage) => Promise<unknown>;
  /** Why the host cannot be spared here: then its errors count as told. */
  readonly impossible?: string;
  /** With `impossible`: what its errors are, and no others. */
  readonly impossibleErrors?: RegExp;
  /** With `impossible`: only until the daemon has noticed it, in so many milliseconds; then no statement may fail any more. */
  readonly impossibleForMs?: number;
  /** Accounts that the sites may differ by in the end: the row says that they stay. */
  readonly mayDiffer?: boolean;
}

/** What came of a row. */
export interface Outcome {
  readonly name: string;
  readonly statements: number;
  readonly hostErrors: readonly string[];
  readonly slowestMs: number;
  /** Null where there was nothing to say. */
  readonly noticedMs: number | null;
  readonly said: string;
  /** What is wrong; empty: nothing. */
  readonly flaws: readonly string[];
  readonly impossible: string | undefined;
  /** The sites were compared in the end. */
  readonly compared: boolean;
}
