/** A plugin peer in another time zone: `peers[].timezone` converts its DATETIME values on the way in and out. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { siteOf } from '../support/by-hand.ts';
import { makePluginMesh, TWO_ZONES, type PluginMesh } from '../support/plugin-mesh.ts';

describe('jobs in New York, cars and homes in Berlin', () => {
  let mesh: PluginMesh;
  beforeAll(async () => {
    mesh = await makePluginMesh(TWO_ZONES);
  }, 60_000);
  afterAll(() => mesh.close());

  const dates = async (email: string): Promise<Record<string, unknown>> => {
    const pick = async (host: typeof mesh.jobs.host): Promise<unknown> => {
      const { dt_reg_date: registered, dt_mod_date: modified } = (await host.user(email)) ?? {};
      return [registered, modified];
    };
    return { jobs: await pick(mesh.jobs.host), cars: await pick(mesh.cars.host), homes: await pick(mesh.homes.host) };
  };
  const setThere = async (email: string, registered: string, modified: string): Promise<void> => {
    await mesh.jobs.host.write('UPDATE {user} SET dt_reg_date = ?, dt_mod_date = ? WHERE s_email = ?', [
      registered,
      modified,
      email,
    ]);
  };
  const inBoth = (value: unknown) => ({ cars: value, homes: value });

  it('an account from there has the dates of here', async () => {
    const email = 'ana@example.com';
    await mesh.jobs.person.register({ email, name: 'Ana', validation: false });
    await setThere(email, '2024-01-10 12:00:00', '2024-07-10 12:00:00');
    await mesh.settle();
    expect(await dates(email)).toEqual({
      jobs: ['2024-01-10 12:00:00', '2024-07-10 12:00:00'],
      ...inBoth(['2024-01-10 18:00:00', '2024-07-10 18:00:00']),
    });
  });

  it('an account from here has the dates of there', async () => {
    const email = 'ben@example.com';
    await mesh.cars.host.person.register({ email, name: 'Ben', validation: false });
    await mesh.cars.host.write(
      "UPDATE {user} SET dt_reg_date = '2024-03-15 17:00:00', dt_mod_date = '2024-03-15 17:30:00' WHERE s_email = ?",
      [email],
    );
    await mesh.settle();
    expect(await dates(email)).toEqual({
      jobs: ['2024-03-15 12:00:00', '2024-03-15 12:30:00'],
      ...inBoth(['2024-03-15 17:00:00', '2024-03-15 17:30:00']),
    });
  });

  it.each([
    ['skipped there', '2024-03-10 02:30:00'],
    ['that came twice there', '2024-11-03 01:30:00'],
    ['skipped here', '2024-03-30 21:30:00'],
    ['that came twice here', '2024-10-26 20:30:00'],
  ])('a date in an hour %s is no change, however often it is said', async (what, registered) => {
    const email = `${what.replaceAll(' ', '-')}@example.com`;
    await mesh.jobs.person.register({ email, name: 'Eva', validation: false });
    await setThere(email, registered, registered);
    await mesh.settle();
    const before = await dates(email);
    for (let round = 0; round < 3; round++) {
      await mesh.jobs.person.editProfile(email, { name: `Eva ${round}` });
      await setThere(email, String((before['jobs'] as unknown[])[0]), String((before['jobs'] as unknown[])[1]));
      await mesh.settle();
      await mesh.refeed(mesh.cars);
      await mesh.settle();
    }
    expect(await dates(email)).toEqual(before);
    expect(await mesh.world.differences()).toEqual([]);
  });

  it('the second of two equal hours is not moved to the first', async () => {
    const email = 'second@example.com';
    await mesh.cars.host.person.register({ email, name: 'Eva', validation: false });
    await mesh.cars.host.write("UPDATE {user} SET dt_reg_date = '2024-11-03 07:30:00' WHERE s_email = ?", [email]);
    await mesh.settle();
    await mesh.jobs.person.editProfile(email, { name: 'Eva B' });
    await mesh.settle();
    await mesh.refeed(mesh.cars);
    await mesh.settle();
    expect((await mesh.cars.host.user(email))?.dt_reg_date).toBe('2024-11-03 07:30:00');
    expect((await mesh.jobs.host.user(email))?.dt_reg_date).toBe('2024-11-03 01:30:00');
  });

  it('a page that the plugin takes has its times', async () => {
    const site = await siteOf(mesh.cars);
    const { rows } = await site.plugin.serveFeed(0, { route: site.route('jobs'), trace: '', ip: '', keyDigest: '' });
    const row = (rows as Record<string, unknown>[]).find(({ s_email: email }) => email === 'ben@example.com');
    expect(row).toMatchObject({ dt_reg_date: '2024-03-15 12:00:00' });
  });
});
