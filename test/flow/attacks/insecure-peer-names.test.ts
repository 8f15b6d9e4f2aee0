/** A peer's address in the clear that only looks as if it were of this machine. */
import { expect, test } from 'vitest';
import { isLoopback, isSafeUrl } from '../../../src/config/url.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { keyOf } from '../../support/world.ts';

const config = (url: string): string => `
site: { name: cars, url: "https://cars.example.com/", api_key: ${keyOf('cars')} }
database: { host: 127.0.0.1, user: u, password: p, name: n }
peers: [{ name: homes, url: "${url}", api_key: ${keyOf('homes')} }]
`;
const problemOf = (url: string): string | undefined => {
  try {
    parseConfig(config(url), 'cars.yaml', {}, () => '');
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test.each([
  'http://x.localhost/',
  'http://peer.localhost:8470/',
  'http://localhost./',
  'http://localhost.example.com/',
  'http://127.0.0.1.example.com/',
  'http://127.0.0.1.nip.io/',
  'http://0.0.0.0/',
  'http://0/',
  'http://[::]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:10.0.0.1]/',
  'http://128.0.0.1/',
  'http://10.0.0.1/',
  'http://１２８.0.0.1/',
  'http://loca1host/',
])('%s is refused', (url) => {
  expect(isSafeUrl(url)).toBe(false);
  expect(problemOf(url)).toMatch(/https:\/\//);
});

test.each([
  'http://localhost/',
  'http://LOCALHOST:8470/',
  'http://127.0.0.1/',
  'http://127.255.255.254/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.0.0.1/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'https://x.localhost/',
])('%s is let through', (url) => {
  expect(isSafeUrl(url)).toBe(true);
  expect(problemOf(url)).toBeUndefined();
});

test('a host of a setting that is not in the form of a URL is taken as it is written', () => {
  expect(['localhost', '127.0.0.1', '::1'].map(isLoopback)).toEqual([true, true, true]);
  expect(['', '127.1', '0177.0.0.1', 'localhost:80'].filter(isLoopback)).toEqual([]);
});
