/**
 * No regular expression takes longer than linearly. The linter proves it of those that are written as such
 * (`redos/no-vulnerable`); here it is shown that it does, and proved of patterns that the linter does not see.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkSync } from 'recheck';
import { expect, onTestFinished, test } from 'vitest';
import { configSchema } from '../../src/config/schema.ts';
import { renderJsonSchema } from '../../src/config/render-json-schema.ts';
import * as records from '../../src/model/record.ts';
import * as responses from '../../src/model/response-schemas.ts';
import * as requests from '../../src/server/request-schemas.ts';
import { ROOT, sourcesIn } from './sources.ts';

/** Each was in the program once, and stopped it. */
const SUPER_LINEAR = [
  String.raw`/\.?0+$/`,
  String.raw`/^-?0*(\d*)(?:\.\d*)?$/`,
  String.raw`/^\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*$/`,
  '/<!--.*?-->/gs',
  String.raw`/<\/?[a-z!?][^>]*>/gi`,
  String.raw`/^\/+|\/+$/g`,
  String.raw`/(['"]).*\1/s`,
  'new RegExp("^(?:a|a)*$")',
];
const LINEAR = [String.raw`/^-?(\d*)(?:\.\d*)?$/`, String.raw`/^\s*\d+\s*$/`];

/** What `npm run check:lint` says of expressions that stand in the program, by line. */
function lint(expressions: readonly string[]): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'account-sync-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = JSON.parse(readFileSync(join(ROOT, '.oxlintrc.json'), 'utf8')) as { jsPlugins: string[] };
  const jsPlugins = config.jsPlugins.map((name) => createRequire(join(ROOT, 'package.json')).resolve(name));
  writeFileSync(join(folder, '.oxlintrc.json'), JSON.stringify({ ...config, jsPlugins }));
  mkdirSync(join(folder, 'src'));
  writeFileSync(
    join(folder, 'src/expressions.ts'),
    expressions.map((one, index) => `export const e${index} = ${one};\n`).join(''),
  );
  const oxlint = join(ROOT, 'node_modules/.bin/oxlint');
  const { stdout } = spawnSync(oxlint, ['--deny-warnings', '--format', 'json', '.'], { cwd: folder, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; labels: { span: { line: number } }[] }[];
  };
  const lines = diagnostics
    .filter(({ code }) => code === 'redos(no-vulnerable)')
    .flatMap(({ labels }) => labels.map(({ span }) => span.line - 1));
  return lines.toSorted((one, other) => one - other);
}

test('the linter refuses an expression that is not proved to be linear, in whatever way it is written', () => {
  expect(lint([...LINEAR, ...SUPER_LINEAR])).toEqual(SUPER_LINEAR.map((_, index) => LINEAR.length + index));
});

/** All patterns in a schema. */
function patternsIn(node: unknown, found = new Set<string>()): Set<string> {
  if (typeof node !== 'object' || node === null) return found;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'pattern' && typeof value === 'string') found.add(value);
    else patternsIn(value, found);
  }
  return found;
}

const patterns = patternsIn([configSchema, renderJsonSchema(), { ...records }, { ...requests }, { ...responses }]);

test.each([...patterns])('the pattern %s of a schema is linear', (pattern) => {
  // Validators give it the flag u.
  for (const flags of ['', 'u']) {
    expect(checkSync(pattern, flags, { checker: 'automaton', timeout: 120_000 })).toMatchObject({ status: 'safe' });
  }
});

/** JavaScript's engine keeps what a group captured in each round, and has room for so many only. */
test.each([...patterns])('the pattern %s of a schema repeats no group that captures', (pattern) => {
  expect(pattern).not.toMatch(/\((?!\?)[^()]*\)(?:[*+]|\{\d+,\d*\})/);
});

test('an expression that is made of a text is made of the pattern of a schema', () => {
  const made = sourcesIn('src').flatMap(({ text }) => [...text.matchAll(/new RegExp\(\s*([^)]*)\)/g)]);
  expect(made.map(([, argument = '']) => argument)).not.toEqual([]);
  expect(made.filter(([, argument = '']) => !/^\w+(?:_PATTERN|\.pattern)$/.test(argument))).toEqual([]);
});
