import { expect, test } from 'vitest';
import { codeOf, sourcesIn, type Source } from './sources.ts';

const src = sourcesIn('src');
const all = [...src, ...sourcesIn('test'), ...sourcesIn('demo'), ...sourcesIn('scripts', '.js')];

/** `path:line: text` of every line of code that matches. */
function linesMatching(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    codeOf(text)
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

test('nothing is exported without a name', () => {
  expect(linesMatching(all, /^export default\b|\bas default\b/)).toEqual([]);
});

test('no type is "any"', () => {
  expect(linesMatching(all, /(?::|<|,|\||&|=>|\bas|=)\s*any\b(?!\s*\()/)).toEqual([]);
});

test('modules keep no state', () => {
  const modules = src.filter(({ path }) => path !== 'src/main.ts');
  expect(linesMatching(modules, /^(?:export )?(?:let|var)\b/)).toEqual([]);
});

test('files are named by one noun or one act, in lower case with hyphens', () => {
  const vague = /(?:^|\/)(?:utils?|helpers?|common|misc|shared|manager|types|index)\.ts$/;
  const odd = src.filter(({ path }) => vague.test(path) || !/^src\/(?:[a-z0-9-]+\/)*[a-z0-9-]+\.ts$/.test(path));
  expect(odd.map(({ path }) => path)).toEqual([]);
});

test('every function and constant that is exported says what it promises', () => {
  const silent = src.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    return lines.flatMap((line, index) => {
      const name = /^export (?:async )?(?:function|const|class) (\w+)/.exec(line)?.[1];
      const before = lines[index - 1] ?? '';
      // Schemas are described inside.
      return name === undefined || / = Type\.\w+\(/.test(line) || before.trimEnd().endsWith('*/')
        ? []
        : [`${path}: ${name}`];
    });
  });
  expect(silent).toEqual([]);
});

test('no work is left for later without saying so elsewhere', () => {
  expect(
    all.filter(({ path, text }) => !path.startsWith('test/rules/') && /\b(?:TODO|FIXME|XXX)\b/.test(text)),
  ).toEqual([]);
});
