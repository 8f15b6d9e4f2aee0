/** The form of an entry of the error registry. */

/** What the daemon itself does next: try again later, put the user aside for a person, or stop. */
type Reaction = 'retry' | 'park' | 'refuse' | 'report' | 'stop';

/** What the registry says of one code. */
export interface ErrorEntry {
  /** One sentence: what happened. */
  meaning: string;
  /** One sentence: what the operator does. */
  remedy: string;
  reaction: Reaction;
  /** HTTP status where it is the answer to a request. */
  http: number;
  /** Exit code where it ends a command: 1 failed, 2 usage or config, 3 needs a person. */
  exit: 1 | 2 | 3;
}

/** One entry. */
export const entry = (
  meaning: string,
  remedy: string,
  reaction: Reaction,
  http: number,
  exit: 1 | 2 | 3 = 1,
): ErrorEntry => ({
  meaning,
  remedy,
  reaction,
  http,
  exit,
});
