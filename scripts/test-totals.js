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
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {TestFile[]} testResults
 *
 * @typedef {object} TestFile
 * @property {string} name the path
 * @property {string} status
 * @property {string} [message] why it did not load
 * @property {{ status: string, fullName: string, failureMessages?: string[] | null }[]} assertionResults
 */

/** Of a failure's message: enough for the statement and the first places it came through. */
const LINES_SHOWN = 12;

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    totals.failed += 1;
    tell(file, 'there is no report', []);
    continue;
  }
  /** @type {Report} */
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const inFiles = report.testResults.filter((result) => result.status === 'failed');
  const wholeFiles = inFiles.filter((result) => !result.assertionResults.some(({ status }) => status === 'failed'));
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests + wholeFiles.length;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  for (const { name, message } of wholeFiles) tell(file, name, [message ?? '']);
  for (const { name, assertionResults } of inFiles) {
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    for (const test of failed) tell(file, `${name} > ${test.fullName}`, test.failureMessages ?? []);
  }
  if (!report.success && report.numFailedTests + wholeFiles.length === 0) {
    totals.failed += 1;
    tell(file, 'the run failed outside of its tests', []);
  }
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
if (totals.failed > 0) process.exitCode = 1;

/**
 * @param {string} report
 * @param {string} what
 * @param {string[]} messages
 */
function tell(report, what, messages) {
  console.log(`failed (${basename(report, '.json')}): ${relative(process.cwd(), what)}`);
  const lines = messages.join('\n').split('\n').filter(Boolean);
  for (const line of lines.slice(0, LINES_SHOWN)) console.log(`    ${line}`);
}
