import { expect, test } from 'vitest';
import { describeDifferences, differencesOf, type Surroundings } from '../../src/model/surroundings.ts';

const mysql: Surroundings = {
  site: 'cars',
  url: 'https://cars.example.com/',
  apiKey: '0011aabb',
  database: 'osclass',
  server: 'mysql 5c61c2a1',
  serverId: '1',
  tableMade: '2026-01-02 03:04:05',
};
const mariadb: Surroundings = { ...mysql, server: 'mariadb oModCJXC' };
const galera: Surroundings = { ...mysql, server: 'galera 9c61c2a1' };
const changed = (before: Surroundings, changes: Partial<Surroundings>, isServerWatched = true): string[] =>
  differencesOf(before, { ...before, ...changes }, { isServerWatched }).map(({ what }) => what);

test.each([
  ['nothing', mysql, {}],
  ['the key', mysql, { apiKey: 'ffffffff' }],
  ['the table, rebuilt by OPTIMIZE or restored in place', mysql, { tableMade: '2026-05-05 05:05:05' }],
  ['the node of a cluster', galera, { serverId: '2', tableMade: '2026-05-05 05:05:05' }],
  ['a container of MariaDB, made again on the same data', mariadb, { server: 'mariadb 2222' }],
  [
    'MariaDB, upgraded to a version that has a server_uid',
    { ...mysql, server: 'mariadb db 3306 /var/lib/mysql/' },
    { server: 'mariadb 2222' },
  ],
])('%s is no other place', (_what, before, changes) => {
  expect(changed(before, changes)).toEqual([]);
});

test.each([
  ['another database of the same server', mysql, { database: 'osclass_staging' }, 'database'],
  ['another address of the site, as a cloned machine has', mysql, { url: 'https://staging.example.com/' }, 'site.url'],
  ['another name', mysql, { site: 'trial' }, 'site.name'],
  ['another MySQL', mysql, { server: 'mysql 7777', tableMade: '2026-05-05 05:05:05' }, 'server'],
  ['another MySQL with a copy of the files', mysql, { server: 'mysql 7777' }, 'server'],
  [
    'another MariaDB with a restored dump',
    mariadb,
    { server: 'mariadb 2222', tableMade: '2026-05-05 05:05:05' },
    'server',
  ],
  ['a detached replica of MariaDB', mariadb, { server: 'mariadb 2222', serverId: '2' }, 'server'],
  ['a server where there was a cluster', galera, { server: 'mariadb 2222' }, 'server'],
  ['another cluster', galera, { server: 'galera 7777' }, 'server'],
])('%s is another place', (_what, before, changes, what) => {
  expect(changed(before, changes)).toEqual([what]);
});

test('with server_identity: ignore the server may be any, database and address not', () => {
  expect(changed(mysql, { server: 'mysql 7777' }, false)).toEqual([]);
  expect(changed(mysql, { server: 'mysql 7777', database: 'osclass_staging' }, false)).toEqual(['database']);
});

test('what is other is told with what it was', () => {
  const differences = differencesOf(
    mysql,
    { ...mysql, database: 'b', url: 'https://b.example.com/' },
    { isServerWatched: true },
  );
  expect(describeDifferences(differences)).toBe(
    'site.url was https://cars.example.com/, is https://b.example.com/; the database was osclass, is b',
  );
});
