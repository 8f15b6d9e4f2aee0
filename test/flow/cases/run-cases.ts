/** Plays a table of cases, on a stage for each pair of generations of Osclass. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Flavour } from '../../support/osclass/flavour.ts';
import { makeStage, type Stage, type StageOptions } from './stage.ts';

/** One rule, shown to hold. */
export interface Case {
  /** A sentence: what happens, and what comes of it. */
  readonly name: string;
  readonly play: (stage: Stage) => Promise<void>;
}

/** Pairs of sites: an old one and a new one, and a new one and one in between. */
const PAIRS: readonly (readonly [Flavour, Flavour])[] = [
  ['3.7', '8'],
  ['8', '5.2'],
];

/** Makes one test of each case and pair. */
export function playCases(
  topic: string,
  cases: readonly Case[],
  options: StageOptions & { readonly pairs?: readonly (readonly [Flavour, Flavour])[] } = {},
): void {
  describe.each([...(options.pairs ?? PAIRS)])(`${topic}: Osclass %s and %s`, (a, b) => {
    let stage: Stage;
    beforeAll(async () => {
      stage = await makeStage([a, b], options);
    });
    afterAll(() => stage?.close());
    beforeEach(() => stage.begin());
    it.each([...cases])('$name', async ({ play }) => {
      expect.hasAssertions();
      await play(stage);
    });
  });
}
