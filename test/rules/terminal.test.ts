/** What is written to a terminal or into a log passes the one place that escapes control characters. */
import { expect, test } from 'vitest';
import { codeOf, sourcesIn } from './sources.ts';

const sources = sourcesIn('src').map(({ path, text }) => ({ path, code: codeOf(text) }));
const linesWith = (pattern: RegExp): string[] =>
  sources.flatMap(({ path, code }) =>
    code
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${path}: ${line.trim()}`),
  );

test('output is written in one place, which escapes control characters', () => {
  expect(linesWith(/\bprocess\.(?:stdout|stderr)\.write\b/)).toEqual([
    "src/config/render-cli.ts: process.stdout.write('');",
    'src/main.ts: out: (text) => void process.stdout.write(escapeControls(text)),',
    'src/main.ts: err: (text) => void process.stderr.write(escapeControls(text)),',
    'src/main.ts: paint: (text) => void process.stdout.write(text),',
  ]);
});

test('only the screen that has colours of ours, and escapes what it is made of, is written as it is', () => {
  expect(linesWith(/\.paint\(/).map((line) => line.split(':')[0])).toEqual(['src/cli/status.ts']);
});

test('only a progress bar, which shows figures, writes to a stream by itself', () => {
  expect(linesWith(/\bprocess\.(?:stdout|stderr)\b(?!\.write|\.isTTY|\.hasColors)/)).toEqual([
    'src/cli/progress.ts: stream: process.stderr,',
    'src/main.ts: for (const stream of [process.stdout, process.stderr]) {',
  ]);
});

test('the log is made in one place', () => {
  expect(linesWith(/\bpino\(/).map((line) => line.split(':')[0])).toEqual(['src/runtime/logger.ts']);
});
