import { describe, expect, it } from 'vitest';
import { explainError } from '../../src/cli/failure.ts';
import { clockFinding } from '../../src/admin/check/finding.ts';
import { formatDuration, formatTable } from '../../src/runtime/figures.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { SyncError } from '../../src/model/errors.ts';

describe('a failure is explained', () => {
  it('in the words of the registry, with its exit code', () => {
    const { text, code } = explainError(new SyncError('EMAIL_TAKEN', 'Ana has it.'), false);
    expect(text).toBe(
      'EMAIL_TAKEN: Ana has it.\n  → Give one of the two accounts another address; the record then goes through by itself.\n',
    );
    expect(code).toBe(3);
  });

  it('line by line, where the config is broken', () => {
    const place = { file: 'c.yaml', line: 1, column: 2, path: 'a.b', message: 'is wrong' };
    expect(explainError(new ConfigError([place]), false)).toEqual({ text: 'c.yaml:1:2 a.b: is wrong\n', code: 2 });
  });

  it('without a stack, unless somebody debugs', () => {
    const error = new SyncError('INTERNAL', undefined, { cause: new TypeError('x is not a function') });
    expect(explainError(error, false).text).toMatch(/^INTERNAL: .* x is not a function\n {2}→ Please report it, .*\n$/);
    expect(explainError(error, true).text).toMatch(/\n +at .*[^]*caused by TypeError: x is not/);
  });
});

describe('figures are shown', () => {
  it('as durations a person can grasp', () => {
    expect([0.4, 89, 91, 5399, 5400, 90_000, 200_000].map(formatDuration)).toEqual([
      '0 s',
      '89 s',
      '2 min',
      '90 min',
      '2 h',
      '25 h',
      '2 d',
    ]);
  });

  it('in columns, numbers to the right', () => {
    expect(
      formatTable([
        ['peer', 'n'],
        ['a', 5],
        ['homes', 12],
      ]),
    ).toBe('peer    n\na       5\nhomes  12');
  });

  it('as a warning where clocks differ, and as a failure where peers refuse that', () => {
    const results = [0, -30_000, 31_000, -60_000, 61_000].map((skew) => clockFinding('clock', 'its', skew).result);
    expect(results).toEqual(['ok', 'ok', 'warn', 'warn', 'fail']);
    expect(clockFinding('clock', 'its', -120_000).message).toBe('its clock is 120 s ahead of ours');
  });
});
