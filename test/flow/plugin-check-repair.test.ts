/** What `check` prints about accounts without a secret on a site with the PHP plugin is run there, on a real database. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkPluginCallers } from '../../src/admin/check/plugin-peer.ts';
import type { Finding } from '../../src/admin/check/finding.ts';
import { siteOf } from '../support/by-hand.ts';
import { DEFAULT_COLUMNS } from '../support/php-plugin/store.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';

const SECRET = /^[0-9a-f]{40}$/;
const PEOPLE = ['ana', 'bob', 'cid', 'dan'].map((name) => `${name}@example.com`);

let mesh: PluginMesh;
beforeAll(async () => {
  mesh = await makePluginMesh();
}, 60_000);
afterAll(() => mesh?.close());

const unguarded = async (): Promise<Finding | undefined> =>
  (await checkPluginCallers(await siteOf(mesh.cars))).find(({ message }) => /without s_secret/.test(message));

const rows = async () => await mesh.jobs.host.select('SELECT * FROM {user} ORDER BY pk_i_id');

const rounds = async (): Promise<void> => {
  for (let round = 0; round < 3; round++) {
    await mesh.hourPasses();
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
  }
};

it('the statement gives a secret to exactly the accounts that have none, each its own, and check is content then', async () => {
  for (const email of PEOPLE.slice(0, 3)) {
    await mesh.cars.host.person.register({ email, name: email.slice(0, 3), validation: false });
  }
  await mesh.work(mesh.cars);
  await mesh.jobs.person.register({ email: 'dan@example.com', name: 'dan', validation: false });
  await mesh.jobs.runCron();
  await rounds();
  expect(await unguarded()).toBeUndefined();
  // The settings there leave the column out; NULL and empty are both no secret.
  const without = DEFAULT_COLUMNS.filter((name) => name !== 's_secret');
  mesh.jobs.accounts.forEach((account) => Object.assign(account, { columns: without }));
  await mesh.jobs.host.write("UPDATE {user} SET s_secret = NULL WHERE s_email = 'ana@example.com'");
  await mesh.jobs.host.write("UPDATE {user} SET s_secret = '' WHERE s_email = 'bob@example.com'");
  await rounds();
  const finding = await unguarded();
  expect(finding).toMatchObject({ check: 'peer jobs', result: 'warn', message: expect.stringMatching(/^2 accounts/) });

  const [, statement = ''] = /: (UPDATE [^]+)$/.exec(finding?.remedy ?? '') ?? [];
  expect(statement).not.toBe('');
  const before = await rows();
  // What it says first: tick the column.
  mesh.jobs.accounts.forEach((account) => Object.assign(account, { columns: DEFAULT_COLUMNS }));
  await mesh.jobs.host.write(statement);
  const after = await rows();
  const secretOf = (email: string): unknown => after.find((row) => row.s_email === email)?.s_secret;
  const expected = before.map((row) =>
    row.s_secret === null || row.s_secret === '' ? { ...row, s_secret: secretOf(String(row.s_email)) } : row,
  );
  expect(after).toEqual(expected);
  expect([secretOf('ana@example.com'), secretOf('bob@example.com')]).toEqual([
    expect.stringMatching(SECRET),
    expect.stringMatching(SECRET),
  ]);
  expect(new Set(after.map((row) => row.s_secret)).size).toBe(PEOPLE.length);
  // Once more changes nothing.
  await mesh.jobs.host.write(statement);
  expect(await rows()).toEqual(after);

  await rounds();
  expect(await unguarded()).toBeUndefined();
  expect((await rows()).map((row) => row.s_secret)).toEqual(after.map((row) => row.s_secret));
}, 60_000);
