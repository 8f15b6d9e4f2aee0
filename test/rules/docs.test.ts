/** The pages of docs/ and README: what is made from the program is up to date, and what they name is there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../../scripts/render-docs.ts';
import type { Terminal } from '../../src/cli/context.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { ERRORS } from '../../src/model/errors.ts';
import { METRICS } from '../../src/metrics/metric-names.ts';
import { ROOT, sourcesIn } from './sources.ts';

const TOP = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md'];
const pages = [
  ...sourcesIn('docs', '.md'),
  ...TOP.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
];
const textOf = (path: string): string => pages.find((page) => page.path === path)?.text ?? '';

test.each(Object.entries(PAGES))('docs/%s is as the program has it (else: npm run render:docs)', (name, render) => {
  expect(readFileSync(join(ROOT, 'docs', name), 'utf8')).toBe(render());
});

/** As on GitHub: lower case, hyphens for blanks, nothing else. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

test.each(pages)('every link of $path leads somewhere', ({ path, text }) => {
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^https?:/.test(link));
  const broken = links.filter((link) => {
    const [file = '', anchor] = link.split('#');
    const target = file === '' ? path : join(dirname(path), file);
    if (!existsSync(join(ROOT, target))) return true;
    if (anchor === undefined) return false;
    const headings = readFileSync(join(ROOT, target), 'utf8').matchAll(/^#+ (.+)$/gm);
    return ![...headings].some(([, heading = '']) => anchorOf(heading) === anchor);
  });
  expect(broken).toEqual([]);
});

test.each(pages)('codes, metrics and commands that $path names exist', ({ text }) => {
  const codes = [...text.matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)].map(([, code = '']) => code);
  const others = new Set([
    'TEST_DATABASE_URL',
    'ACCOUNT_SYNC_CONFIG',
    'HISTORY_RUNS',
    'DB_HOST',
    'DB_TABLE_PREFIX',
    'GET_LOCK',
    'NO_ZERO_DATE',
    'NO_BACKSLASH_ESCAPES',
  ]);
  expect(codes.filter((code) => !Object.hasOwn(ERRORS, code) && !others.has(code))).toEqual([]);
  const metrics = [...text.matchAll(/`(account_sync_[a-z_]+)`/g)].map(([, name = '']) => name);
  expect(metrics.filter((name) => !Object.hasOwn(METRICS, name))).toEqual([]);
  const program = readFileSync(join(ROOT, 'src/cli/program.ts'), 'utf8');
  const known = new Set([...program.matchAll(/command\('([a-z]+)/g)].map(([, name]) => name));
  const commands = [...text.matchAll(/`account-sync ([a-z]+)/g)].map(([, name = '']) => name);
  expect(commands.filter((name) => !known.has(name))).toEqual([]);
});

test('what happens if … has an answer for each failure', () => {
  const { text = '' } = pages.find(({ path }) => path.endsWith('what-happens-if.md')) ?? {};
  expect([...text.matchAll(/^\* \*\*.+?\?\*\*|^\* \*\*[^*]+\*\* \([^)]*\)\?/gm)].length).toBeGreaterThanOrEqual(25);
});

test('README is what a newcomer reads: at most 10 KB, its two commands first', () => {
  const readme = textOf('README.md');
  expect(Buffer.byteLength(readme)).toBeLessThanOrEqual(10_240);
  const headings = [...readme.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  expect(headings[0]).toBe('See it run');
  const first = readme.split('\n## ')[1] ?? '';
  expect(first).toContain('    npm run demo\n');
  expect(first).toContain('    npm test\n');
});

test('every page is found from README, by way of the table of contents in docs/README.md', () => {
  expect(textOf('README.md')).toContain('](docs/README.md)');
  const contents = `${textOf('docs/README.md')}${textOf('docs/decisions/README.md').replaceAll('](', '](decisions/')}`;
  const below = pages.map(({ path }) => path).filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
  expect(below.filter((path) => !contents.includes(`](${path.slice('docs/'.length)})`))).toEqual([]);
  expect(TOP.filter((path) => path !== 'README.md' && !textOf('README.md').includes(`](${path})`))).toEqual([]);
});

test('every command and flag of the program is in docs/commands.md', () => {
  const terminal = { out: () => undefined, err: () => undefined } as unknown as Terminal;
  const lines = textOf('docs/commands.md').split('\n');
  const missing = makeProgram(terminal, () => undefined).commands.flatMap((command) => {
    const line = lines.find((one) => one.startsWith(`    account-sync ${command.name()} `)) ?? '';
    const flags = command.options.map(({ long }) => long ?? '').filter((flag) => flag !== '--help');
    return [...(line === '' ? [command.name()] : []), ...flags.filter((flag) => !line.includes(flag))];
  });
  expect(missing).toEqual([]);
});

test('a file of src that comments or pages name is there', () => {
  const names = new Set(sourcesIn('src').flatMap(({ path }) => [path, path.slice(path.lastIndexOf('/') + 1)]));
  const texts = [...sourcesIn('src'), ...pages.filter(({ path }) => path !== 'CHANGELOG.md')];
  const dead = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/(?:\bsee|\(|`)\s?(src\/[\w/-]+\.ts|[a-z][\w-]*\.ts)(?=[`).;:, ])/g)]
      .map(([, name = '']) => name)
      .filter((name) => !names.has(name) && !existsSync(join(ROOT, name)))
      .map((name) => `${path}: ${name}`),
  );
  expect(dead).toEqual([]);
});
