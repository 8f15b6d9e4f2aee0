/**
 * Adds up reports of vitest and prints `N passed, N failed, N skipped`, and before that each failure with what it said,
 * so that the end of a long run tells all. A file that did not even load, and a report that is missing because the run
 * did not get that far, count as one failed test each: neither passed.
 *
 *     node scripts/test-totals.js REPORT...
 */

import { existsSync, readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';

/**
 * What we read of a report.
 * @typedef {object} Report
 * @property {boolean} success
 * @property {TestFile[]} testResults
 *
 * @typedef {object} TestFile
 * @property {string} name the path
 * @property {string} status
 * @property {string} [message] why it did not load
 * @property {{ status: string, fullName: string, failureMessages?: string[] | null }[]} assertionResults
 *
 * @typedef {{ what: string, messages: string[] }} Failure
 */

/** Of a failure's message: enough for the statement and the first places it came through. */
const LINES_SHOWN = 12;

addUp(process.argv.slice(2));

/** @param {string[]} paths */
function addUp(paths) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const path of paths) {
    const name = basename(path, '.json');
    const report = read(path);
    if (report === undefined) {
      totals.failed += 1;
      tell(name, { what: 'there is no report', messages: [] });
      continue;
    }
    let failed = 0;
    for (const file of report.testResults) {
      const failures = failuresOf(file);
      for (const failure of failures) tell(name, failure);
      failed += failures.length;
      totals.passed += file.assertionResults.filter(({ status }) => status === 'passed').length;
      totals.skipped += file.assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status)).length;
    }
    if (!report.success && failed === 0) {
      failed += 1;
      tell(name, { what: 'the run, outside of its tests', messages: [] });
    }
    totals.failed += failed;
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  if (totals.failed > 0) process.exitCode = 1;
}

/**
 * @param {string} path
 * @returns {Report | undefined} undefined: there is none
 */
function read(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/**
 * @param {TestFile} file
 * @returns {Failure[]} one for the whole file if it failed and none of its tests did
 */
function failuresOf(file) {
  if (file.status !== 'failed') return [];
  const tests = file.assertionResults.filter(({ status }) => status === 'failed');
  if (tests.length === 0) return [{ what: pathOf(file), messages: [file.message ?? ''] }];
  return tests.map(({ fullName, failureMessages }) => ({
    what: `${pathOf(file)} > ${fullName}`,
    messages: failureMessages ?? [],
  }));
}

/** @param {TestFile} file */
function pathOf({ name }) {
  return relative(process.cwd(), name);
}

/**
 * @param {string} report
 * @param {Failure} failure
 */
function tell(report, { what, messages }) {
  console.log(`failed (${report}): ${what}`);
  const lines = messages.join('\n').split('\n').filter(Boolean);
  for (const line of lines.slice(0, LINES_SHOWN)) console.log(`    ${line}`);
}
