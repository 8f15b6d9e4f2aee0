import { expect, test } from 'vitest';
import { sourcesIn } from './sources.ts';

/** Where statements are made of text that is no constant of the program, and why that is safe. */
const RAW: Readonly<Record<string, string>> = {
  'src/db/migrate.ts': 'statements of sql/, which are part of the program',
  'src/db/server-facts.ts': 'constant statements that a server may not know',
  'src/capture/definer-rights.ts': 'SET ROLE with roles as the server named them',
  'src/capture/rights.ts': 'constant statements that an account may not run',
};

const src = sourcesIn('src');

test('only the catalog makes identifiers', () => {
  const makers = src.filter(({ text }) => /\bsql\.(?:id|ref|table|lit)\b|\bsql\.(?:id|ref)</.test(text));
  expect(makers.map(({ path }) => path)).toEqual(['src/db/catalog.ts']);
});

test('raw text becomes a statement only where it is known to be safe', () => {
  const raw = src.filter(({ text }) => /\bsql\.raw\b/.test(text)).map(({ path }) => path);
  expect(raw).toEqual(Object.keys(RAW).toSorted());
});

test('statements are written where the tables of the site, the server or the daemon are looked after', () => {
  const owners = /^src\/(?:(?:db|store|osclass|capture|plugin)\/|apply\/probe-registers\.ts$)/;
  const others = src.filter(({ path, text }) => !owners.test(path) && /\bsql(?:<[^`]*>)?`/.test(text));
  expect(others.map(({ path }) => path)).toEqual([]);
});

test('only src/store, and the migrations, name a table of ours in a statement', () => {
  const home = /^src\/(?:store\/|db\/(?:migrate|own-tables)\.ts)/;
  const others = src.filter(({ path, text }) => !home.test(path) && /\$\{(?:nameOf\()?own\.\w+/.test(text));
  expect(others.map(({ path }) => path)).toEqual([]);
  const spelt = src.filter(({ text }) => /\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+`?\{?\w*\}?account_sync_\w/.test(text));
  expect(spelt.map(({ path }) => path)).toEqual([]);
});
