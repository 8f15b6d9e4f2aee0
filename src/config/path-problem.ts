/** What a check across keys finds: where, and what. */
export interface PathProblem {
  /** Path of the value that is at fault. */
  readonly path: string;
  /** For people; never holds a secret. */
  readonly message: string;
}
