import { defineConfig } from 'vitest/config';

// TEST_REPORT: a file for the totals as JSON, beside what is printed.
const report = process.env['TEST_REPORT'];

/** They measure time or memory, to which a second file beside them, or before them in the same process, would add. */
const ALONE = [
  'test/flow/attacks/{answers-that-grow,bodies-without-end,chains-of-names,long-texts,stops-at-once}.test.ts',
  'test/flow/malicious-peer.test.ts',
  'test/unit/foreign-text.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: 'test/support/built-program.ts',
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts', ...ALONE.map((files) => `!${files}`)],
          // Files of one worker share what was loaded: a fifth of the processor time. So a file leaves nothing behind.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
