/**
 * Adds up reports of vitest and prints `N passed, N failed, N skipped`. A file that did not even load, and a report
 * that is missing because the run did not get that far, count as one failed test each: neither passed.
 *
 *     node scripts/test-totals.js REPORT...
 */

import { existsSync, readFileSync } from 'node:fs';

/**
 * What we read of a report.
 * @typedef {object} Report
 * @property {boolean} success
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {{ status: string, assertionResults: { status: string }[] }[]} testResults one per file
 */

const totals = { passed: 0, failed: 0, skipped: 0 };
for (const file of process.argv.slice(2)) {
  if (!existsSync(file)) {
    totals.failed += 1;
    continue;
  }
  /** @type {Report} */
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const inFiles = report.testResults.filter((result) => result.status === 'failed');
  const wholeFiles = inFiles.filter((result) => !result.assertionResults.some(({ status }) => status === 'failed'));
  totals.passed += report.numPassedTests;
  totals.failed += report.numFailedTests + wholeFiles.length;
  totals.skipped += report.numPendingTests + report.numTodoTests;
  if (!report.success && report.numFailedTests + wholeFiles.length === 0) totals.failed += 1;
}
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
if (totals.failed > 0) process.exitCode = 1;
