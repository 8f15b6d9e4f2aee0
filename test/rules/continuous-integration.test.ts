/** What README and docs/ say that one can run is run by .ci/run, so that it does not rot; figures say what they are of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourcesIn } from './sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> };
const pages = [
  ...sourcesIn('docs', '.md'),
  ...['README.md', 'CONTRIBUTING.md'].map((path) => ({ path, text: read(path) })),
];

/** Names of npm scripts in a text, in the two ways in which they are called. */
function scriptsIn(text: string): Set<string> {
  const called = text.matchAll(/\bnpm (?:run ([a-z][a-z:-]*)|(test)\b)/g);
  return new Set(Array.from(called, ([, run, short]) => run ?? short ?? ''));
}

/** What .ci/run calls, and what that calls in turn. */
function inCi(): Set<string> {
  const reached = scriptsIn(read('.ci/run').replaceAll(/^\s*#.*$/gm, ''));
  for (const name of reached) for (const next of scriptsIn(scripts[name] ?? '')) reached.add(next);
  return reached;
}

/** Not run there, and why. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  format: 'changes files; check:format says whether it would',
  prepack: 'npm runs it by itself when release packs',
};

test.each(pages.map(({ path, text }) => [path, [...scriptsIn(text)]] as const))(
  'every npm script that %s names exists, and .ci/run runs it',
  (_path, named) => {
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
    const run = inCi();
    expect(named.filter((name) => !run.has(name) && ELSEWHERE[name] === undefined)).toEqual([]);
  },
);

test('every npm script is run by .ci/run, or it is said why not', () => {
  const run = inCi();
  expect(Object.keys(scripts).filter((name) => !run.has(name))).toEqual(Object.keys(ELSEWHERE));
});

/** What a page with figures that somebody measured has to name. */
const OF_COMMIT = /\bcommit `[0-9a-f]{7,40}(?: with changes)?`/;

test.each(['performance', 'reliability', 'reliability-mysql', 'scaling', 'testing'])(
  'docs/%s.md says at which commit its figures were made',
  (name) => {
    expect(read(`docs/${name}.md`)).toMatch(OF_COMMIT);
  },
);

test('each table of measured goals says at which commit', () => {
  const measured = read('docs/performance.md').match(/^Measured: .*$/gm) ?? [];
  expect(measured.length).toBeGreaterThan(0);
  for (const line of measured) expect(line).toMatch(OF_COMMIT);
});
