import { dirname, join } from 'node:path/posix';
import { expect, test } from 'vitest';
import { sourcesIn } from './sources.ts';

/**
 * Folders of src, and the files beside them, from the bottom up: each may import what stands in a row below its own. What
 * stands in one row knows nothing of each other; where two of them meet, src/store/ports.ts says what one needs, and the
 * files that put a site together pass it in.
 */
const ROWS: readonly (readonly string[])[] = [
  ['model', 'version.ts'],
  ['runtime', 'config'],
  ['db'],
  ['store'],
  ['osclass'],
  ['capture', 'deliver', 'apply', 'feed', 'peer'],
  ['plugin'],
  ['server', 'metrics'],
  ['site'],
  ['admin'],
  ['daemon'],
  ['cli'],
  ['main.ts'],
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function importsOf({ path, text }: { readonly path: string; readonly text: string }): Import[] {
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map((match) => ({ from: path, to: join(dirname(path), match[1] as string) }));
}

function unitOf(path: string): string {
  return path.split('/')[1] as string;
}

function rowOf(path: string): number {
  return ROWS.findIndex((row) => row.includes(unitOf(path)));
}

const sources = sourcesIn('src');
const imports = sources.flatMap(importsOf);

test('every file of src is in a folder that has its place', () => {
  expect(sources.filter(({ path }) => rowOf(path) === -1).map(({ path }) => path)).toEqual([]);
});

test('imports point one way', () => {
  const wrong = imports.filter(({ from, to }) => unitOf(from) !== unitOf(to) && rowOf(from) <= rowOf(to));
  expect(wrong).toEqual([]);
});

test('no file imports itself by way of others, not even types', () => {
  const next = Map.groupBy(imports, ({ from }) => from);
  const done = new Set<string>();
  const circles: string[][] = [];
  const follow = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path]);
    if (done.has(path) || way.includes(path)) return;
    for (const { to } of next.get(path) ?? []) follow(to, [...way, path]);
    done.add(path);
  };
  for (const { path } of sources) follow(path, []);
  expect(circles).toEqual([]);
});

test('src imports nothing from outside of src', () => {
  expect(imports.filter(({ to }) => !to.startsWith('src/'))).toEqual([]);
});

test('what is pure imports nothing that reads or writes', () => {
  const outside = sources
    .filter(({ path }) => path.startsWith('src/model/'))
    .flatMap(({ path, text }) => [...text.matchAll(/from '([^.'][^']*)'/g)].map((match) => `${path}: ${match[1]}`));
  const pure = ['entities', 'node:crypto', 'typebox', 'uuid'];
  expect(outside.filter((line) => !pure.includes(line.split(': ')[1] as string))).toEqual([]);
});
