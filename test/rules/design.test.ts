/** docs/design.md is the one place that defines invariants and rules: what is cited exists there, and each is tested. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourcesIn } from './sources.ts';

const design = readFileSync(join(ROOT, 'docs', 'design.md'), 'utf8');
const sectionOf = (heading: string): string => design.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';

const invariants = [...sectionOf('Invariants').matchAll(/^(\d+)\. /gm)].map(([, number]) => `invariant ${number}`);
const rules = [...design.matchAll(/^\| ([TS]\d) \|/gm)].map(([, rule = '']) => rule);

const sources = [...sourcesIn('src'), ...sourcesIn('test')].filter(({ path }) => path !== 'test/rules/design.test.ts');
/** A rule is cited in a comment as `(T2)`, `T2:` or `rule T2`, and so in the name of a test. */
const CITED = /\b(invariant \d+)|(?:\(|\brules? )([TS]\d)\b|\b([TS]\d)(?=: )/gi;

const cited = sources.flatMap(({ path, text }) =>
  [...text.matchAll(CITED)]
    .filter(([, invariant, inBrackets, before]) => invariant ?? inBrackets ?? before)
    .map(([, invariant, inBrackets, before]) => ({
      path,
      name: invariant === undefined ? (inBrackets ?? before ?? '') : invariant.toLowerCase(),
    })),
);
const named = sourcesIn('test', '.test.ts').flatMap(({ text }) =>
  [...text.matchAll(/^\s*(?:it|test|describe)(?:\.\w+)*\(\s*(['"`])(.+)/gm)].map(([, , title = '']) => title),
);

test('docs/design.md defines invariants and rules, each once', () => {
  expect(invariants.length).toBeGreaterThanOrEqual(12);
  expect(rules.length).toBeGreaterThanOrEqual(17);
  expect(new Set(rules).size).toBe(rules.length);
});

test('every invariant and rule that code or tests cite is defined in docs/design.md', () => {
  const defined = new Set([...invariants, ...rules]);
  expect(cited.filter(({ name }) => !defined.has(name))).toEqual([]);
});

test.each([...invariants, ...rules])('%s has a test named after it', (name) => {
  expect(named.filter((title) => new RegExp(`\\b${name}\\b`, 'i').test(title)).length).toBeGreaterThan(0);
});
