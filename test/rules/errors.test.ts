import { expect, test } from 'vitest';
import { ERRORS } from '../../src/model/errors.ts';
import { sourcesIn } from './sources.ts';

const src = sourcesIn('src').filter(({ path }) => path !== 'src/model/errors.ts');

test('every code of the registry is used', () => {
  const unused = Object.keys(ERRORS).filter((code) => !src.some(({ text }) => text.includes(`'${code}'`)));
  expect(unused).toEqual([]);
});

test('errors are thrown by their code', () => {
  const thrown = src.flatMap(({ path, text }) =>
    [...text.matchAll(/\bthrow new (\w+)/g)].map((match) => `${path}: ${match[1]}`),
  );
  // RangeError and TypeError: a mistake of the program, not of its surroundings.
  const others = thrown.filter((line) => !/: (?:SyncError|RangeError|TypeError)$/.test(line));
  expect(new Set(others)).toEqual(
    new Set(['src/config/load.ts: ConfigError', 'src/cli/program.ts: InvalidArgumentError']),
  );
});
