import { execFileSync, spawnSync } from 'node:child_process';
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

  const counts = { success: true, numPassedTests: 2, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0 };
  const write = (name: string, report: object): string => {
    const file = join(folder, name);
    writeFileSync(file, JSON.stringify({ ...counts, testResults: [], ...report }));
    return file;
  };
  const script = 'scripts/test-totals.js';

  test('are one line when everything passed', () => {
    const files = [write('a.json', {}), write('b.json', { numPassedTests: 3, numPendingTests: 1 })];
    expect(execFileSync(process.execPath, [script, ...files], { encoding: 'utf8' })).toBe(
      '5 passed, 0 failed, 1 skipped\n',
    );
  });

  test('come after every failure: of a test, of a whole file, of a run without a report', () => {
    const failed = write('failed.json', {
      success: false,
      numFailedTests: 1,
      testResults: [
        {
          name: 'test/one.test.ts',
          status: 'failed',
          assertionResults: [
            { status: 'passed', fullName: 'adds' },
            { status: 'failed', fullName: 'subtracts', failureMessages: ['expected 1 to be 2\n at line 3'] },
          ],
        },
        {
          name: 'test/two.test.ts',
          status: 'failed',
          message: 'no such module',
          assertionResults: [{ status: 'skipped', fullName: 'never ran' }],
        },
      ],
    });
    const { status, stdout } = spawnSync(process.execPath, [script, failed, join(folder, 'none.json')], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stdout.split('\n')).toEqual([
      'failed (failed): test/two.test.ts',
      '    no such module',
      'failed (failed): test/one.test.ts > subtracts',
      '    expected 1 to be 2',
      '     at line 3',
      'failed (none): there is no report',
      '2 passed, 3 failed, 0 skipped',
      '',
    ]);
  });
});
