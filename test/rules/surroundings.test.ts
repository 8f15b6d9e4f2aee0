import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, sourcesIn } from './sources.ts';

const folders = ['src', 'test', 'demo', 'bench', 'scripts', 'sql', 'docs', 'deploy', '.github'].filter((folder) =>
  existsSync(join(ROOT, folder)),
);
const beside = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(?:md|json|ya?ml|ts)$|^Dockerfile$/.test(entry.name))
  .map(({ name: path }) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
const files = [...folders.flatMap((folder) => sourcesIn(folder, '')), ...beside].filter(
  ({ path }) => path !== 'test/rules/surroundings.test.ts',
);

test('nothing names a folder of the machine it was written on', () => {
  const named = files.filter(
    ({ text }) => text.includes(ROOT) || /(?:^|[\s"'`(=:])\/(?:home|Users|work)\/\w/m.test(text),
  );
  expect(named.map(({ path }) => path)).toEqual([]);
});

test('nothing reaches out of the project', () => {
  const outside = files.filter(({ text }) => /from '(?:\.\.\/)+shared\/|\.\.\/shared\//.test(text));
  expect(outside.map(({ path }) => path)).toEqual([]);
});
