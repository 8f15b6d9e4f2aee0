import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

describe('the totals of all test runs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'test-totals-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const passed = (fullName: string) => ({ status: 'passed', fullName });
  const skipped = (fullName: string) => ({ status: 'skipped', fullName });
  const failed = (fullName: string) => ({ status: 'failed', fullName, failureMessages: ['expected 1\n at line 3'] });
  const file = (name: string, ...assertionResults: { status: string; fullName: string }[]) => ({
    name,
    status: assertionResults.every(({ status }) => status === 'passed') ? 'passed' : 'failed',
    message: 'no such module',
    assertionResults,
  });
  const write = (name: string, ...testResults: ReturnType<typeof file>[]): string => {
    const path = join(folder, name);
    const success = testResults.every(({ status }) => status === 'passed');
    writeFileSync(path, JSON.stringify({ success, testResults }));
    return path;
  };
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ['scripts/test-totals.js', ...args], { encoding: 'utf8' });

  test('are one line when everything passed', () => {
    const files = [write('a.json', file('test/a.ts', passed('a'), passed('b'))), write('b.json', file('test/b.ts'))];
    expect(run(...files)).toMatchObject({ status: 0, stdout: '2 passed, 0 failed, 0 skipped\n' });
  });

  const one = file('test/one.test.ts', passed('adds'), failed('subtracts'));
  const two = file('test/two.test.ts', skipped('never ran'));

  test('come after every failure: of a test, of a whole file, of a run without a report', () => {
    const { status, stdout } = run(write('failed.json', one, two), join(folder, 'none.json'));
    expect(status).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'failed (failed): test/one.test.ts > subtracts',
      '    expected 1',
      '     at line 3',
      'failed (failed): test/two.test.ts',
      '    no such module',
      'failed (none): there is no report',
      '1 passed, 3 failed, 1 skipped',
      '',
    ]);
  });
});
