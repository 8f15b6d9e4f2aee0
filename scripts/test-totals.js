/**
 * Adds up reports of vitest and prints `N passed, N failed, N skipped`, and before that each failure with what it said,
 * so that the end of a long run tells all. A file that did not even load, and a report that is missing because the run
 * did not get that far, count as one failed test each: neither passed.
 *
 *     node scripts/test-totals.js REPORT...              ends with 1 if anything failed
 *     node scripts/test-totals.js --failed-files REPORT  the files with failures, a line each
 *
 * Beside `any.json` there may be `any-again.json`, the report of a second run of the files that failed. What it says of
 * them counts; what failed only the first time is named all the same.
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

const [first, ...more] = process.argv.slice(2);
if (first === '--failed-files') {
  const report = read(String(more[0]));
  for (const file of report?.testResults ?? []) if (failuresOf(file).length > 0) console.log(pathOf(file));
} else {
  addUp(process.argv.slice(2));
}

/** @param {string[]} paths */
function addUp(paths) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  for (const path of paths) {
    const name = basename(path, '.json');
    const report = read(path);
    if (report === undefined) {
      totals.failed += 1;
      tell('failed', name, { what: 'there is no report', messages: [] });
      continue;
    }
    const again = new Map(read(path.replace(/\.json$/, '-again.json'))?.testResults.map((file) => [file.name, file]));
    let failed = 0;
    for (const file of report.testResults) {
      const last = again.get(file.name) ?? file;
      const failures = failuresOf(last);
      const still = new Set(failures.map(({ what }) => what));
      for (const failure of failuresOf(file)) {
        if (!still.has(failure.what)) tell('failed the first time', name, failure);
      }
      for (const failure of failures) tell('failed', name, failure);
      failed += failures.length;
      totals.passed += last.assertionResults.filter(({ status }) => status === 'passed').length;
      totals.skipped += last.assertionResults.filter(({ status }) => !['passed', 'failed'].includes(status)).length;
    }
    if (!report.success && report.testResults.every((file) => failuresOf(file).length === 0)) {
      failed += 1;
      tell('failed', name, { what: 'the run, outside of its tests', messages: [] });
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
 * @param {string} how
 * @param {string} report
 * @param {Failure} failure
 */
function tell(how, report, { what, messages }) {
  console.log(`${how} (${report}): ${what}`);
  const lines = messages.join('\n').split('\n').filter(Boolean);
  for (const line of lines.slice(0, LINES_SHOWN)) console.log(`    ${line}`);
}
