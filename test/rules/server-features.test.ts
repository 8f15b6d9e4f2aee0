/** Servers are asked feature by feature (MYSQL.md): nothing depends on a version number, or on what old ones lack. */
import { expect, test } from 'vitest';
import { sourcesIn } from './sources.ts';

const code = [...sourcesIn('src'), ...sourcesIn('sql', '.sql')];
const holding = (pattern: RegExp): string[] => code.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

test('no version is compared, taken apart or asked for by what works with it', () => {
  expect(holding(/\/\*M?!\d/)).toEqual([]);
  expect(holding(/\bversion\b[^\n;]{0,30}(?:[<>]=?\s*['"\d]|\.split\(|parseFloat)|\bsemver\b/i)).toEqual([]);
});

test('statements use nothing that a supported server lacks: MySQL 5.7, MariaDB 10.3', () => {
  const lacking =
    /\bSKIP LOCKED\b|\bNOWAIT\b|\bFOR SHARE\b|\bRETURNING\b|\bWITH RECURSIVE\b|\bJSON_TABLE\b|\bLATERAL\b/;
  expect(holding(lacking)).toEqual([]);
});

test('S6: no statement uses MD5() or SHA1()', () => {
  expect(holding(/\b(?:MD5|SHA1?)\s*\(/)).toEqual([]);
});
