/** Each file of test/fixtures/config/broken is a config with mistakes; the .txt beside it is what a person then reads, with exit code 2. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { explainError } from '../../src/cli/failure.ts';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { BROKEN, ENV, fixture, readSecret } from './config-fixtures.ts';

const names = readdirSync(BROKEN)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length));

function problemsOf(text: string): string {
  try {
    parseConfig(text, 'config.yaml', ENV, readSecret);
  } catch (error) {
    const { text: told, code } = explainError(error, false);
    if (error instanceof ConfigError && code === 2) return told;
    throw error;
  }
  return 'loads without a problem\n';
}

describe('a broken config is refused with all its problems, each at its place', () => {
  test.each(names)('%s', (name) => {
    expect(problemsOf(fixture(`broken/${name}.yaml`))).toBe(fixture(`broken/${name}.txt`));
  });

  test('the table is not empty', () => {
    expect(names.length).toBeGreaterThanOrEqual(60);
  });

  test('no expectation holds a secret of the fixtures or their environment', () => {
    for (const name of names)
      expect(fixture(`broken/${name}.txt`)).not.toMatch(/hunter2|cars-key|homes-key|secret-secret/i);
  });
});
