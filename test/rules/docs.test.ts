/** The pages of docs/ and README: what is made from the program is up to date, and what they name is there. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { PAGES } from '../../scripts/render-docs.ts';
import { ERRORS } from '../../src/model/errors.ts';
import { METRICS } from '../../src/ops/metric-names.ts';
import { ROOT, sourcesIn } from './sources.ts';

const pages = [...sourcesIn('docs', '.md'), { path: 'README.md', text: readFileSync(join(ROOT, 'README.md'), 'utf8') }];

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

test('every page is found from README', () => {
  const readme = pages.find(({ path }) => path === 'README.md')?.text ?? '';
  expect(
    pages.map(({ path }) => path).filter((path) => path !== 'README.md' && !readme.includes(`](${path})`)),
  ).toEqual([]);
});
