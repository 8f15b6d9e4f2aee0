/**
 * Accounts that are mistaken for one another where one daemon, cars, knows the site with the PHP plugin, and another,
 * homes, is behind it: by dates in another zone or of the same second, by uids that passed, by rows of who was removed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deliverAll, drainAll, siteOf } from '../support/by-hand.ts';
import { buildPhpForm } from '../support/php-plugin/form.ts';
import { readRow } from '../support/php-plugin/store.ts';
import { makePluginMesh, TWO_ZONES, type PluginMesh } from '../support/plugin-mesh.ts';
import { keyOf } from '../support/world.ts';

describe.each([
  ['in one time zone', {}],
  ['in two time zones', TWO_ZONES],
])('%s', (_zones, options) => {
  let mesh: PluginMesh;
  let count = 0;
  beforeAll(async () => {
    mesh = await makePluginMesh({ ...options, isHomesBehind: true });
  }, 60_000);
  afterAll(() => mesh.close());
  beforeEach(async () => {
    mesh.weather = () => 'fair';
    await mesh.cars.db.query('DELETE FROM oc_account_sync_parked');
  });

  type SiteName = 'jobs' | 'cars' | 'homes';
  const hostOf = (site: SiteName) => (site === 'jobs' ? mesh.jobs.host : mesh[site].host);
  const address = (): string => `account${++count}@example.com`;
  const at = async (site: SiteName, email: string) => await hostOf(site).user(email);
  const names = async (email: string): Promise<unknown[]> => [
    (await at('jobs', email))?.s_name,
    (await at('cars', email))?.s_name,
    (await at('homes', email))?.s_name,
  ];
  const NOWHERE = [undefined, undefined, undefined];
  const parked = (): Promise<unknown[]> => mesh.cars.db.query('SELECT code FROM oc_account_sync_parked');
  const dated = (site: SiteName, date: string, ...emails: string[]): Promise<unknown> =>
    hostOf(site).write('UPDATE {user} SET dt_reg_date = ? WHERE s_email IN (?)', [date, emails]);
  /** Registered here long ago, and told to the peer, which never said anything of it. */
  const fromCars = async (email: string, name = 'First', date = '2020-05-05 10:00:00'): Promise<void> => {
    await mesh.cars.host.person.register({ email, name, validation: false });
    await dated('cars', date, email);
    await mesh.settle();
  };
  const fromJobs = async (email: string, name = 'First', date = '2020-05-05 10:00:00'): Promise<void> => {
    await mesh.jobs.person.register({ email, name, validation: false });
    await dated('jobs', date, email);
    await mesh.jobs.runCron();
    await mesh.settle();
  };
  const run = async (): Promise<void> => {
    await mesh.jobs.runCron();
    await mesh.settle();
  };

  describe('by the date of registration', () => {
    it('who gave the address up there is not removed when the next one who has it is', async () => {
      const [email, other] = [address(), address()];
      await fromCars(email);
      await mesh.jobs.host.person.changeEmail(email, other);
      await mesh.jobs.person.register({ email, name: 'Somebody else', validation: false });
      await run();
      expect(await at('cars', email)).toMatchObject({ s_name: 'First' });
      await mesh.jobs.person.deleteAccount(email);
      await run();
      expect(await at('jobs', other)).toMatchObject({ s_name: 'First' });
      expect((await names(email)).slice(1)).toEqual(['First', 'First']);
      expect(await parked()).toEqual([]);
    });

    it('two accounts of which another daemon made one person are still told apart', async () => {
      const [a, b] = [address(), address()];
      await mesh.homes.host.person.register({ email: a, name: 'Home', validation: false });
      await dated('homes', '2020-03-03 10:00:00', a);
      await drainAll(mesh.homes);
      await mesh.homes.host.person.changeEmail(a, b);
      await drainAll(mesh.homes);
      for (const [email, date] of [
        [a, '2020-01-01 10:00:00'],
        [b, '2020-02-02 10:00:00'],
      ] as const) {
        await mesh.cars.host.person.register({ email, name: `At ${email}`, validation: false });
        await dated('cars', date, email);
      }
      await drainAll(mesh.cars);
      await deliverAll(mesh.cars, 'jobs');
      await mesh.settle();
      await mesh.cars.host.person.editProfile(a, { name: 'A edited' });
      await mesh.settle();
      expect((await names(a)).slice(0, 2)).toEqual(['A edited', 'A edited']);
      await mesh.jobs.person.editProfile(a, { name: 'A from jobs' });
      await mesh.settle();
      expect((await names(a)).slice(0, 2)).toEqual(['A from jobs', 'A from jobs']);
      await mesh.jobs.person.editProfile(b, { name: 'B from jobs' });
      await mesh.settle();
      expect(await names(b)).toEqual(['B from jobs', 'B from jobs', 'B from jobs']);
      await mesh.cars.host.person.deleteAccount(a);
      await mesh.settle();
      expect(await names(a)).toEqual(NOWHERE);
      expect((await names(b))[1]).toBe('B from jobs');
    });

    it('who has another address here by now is no second person, though the old account there is edited', async () => {
      const email = address();
      await fromCars(email);
      // What the peer is known to have was forgotten, so that only the date tells.
      await mesh.cars.db.query("DELETE FROM oc_account_sync_seen WHERE peer = 'jobs'");
      await mesh.cars.host.person.changeEmail(email, `new-${email}`);
      await drainAll(mesh.cars);
      await mesh.jobs.person.editProfile(email, { name: 'First, still' });
      await mesh.jobs.runCron();
      expect(await at('cars', email)).toBeUndefined();
      await mesh.settle();
      expect(await names(email)).toEqual(['First, still', undefined, undefined]);
    });

    it('a bystander who registered in the same second does not keep who was deleted there', async () => {
      const [email, bystander] = [address(), address()];
      for (const one of [email, bystander]) {
        await mesh.cars.host.person.register({ email: one, name: 'First', validation: false });
      }
      await dated('cars', '2020-05-06 10:00:00', email, bystander);
      await mesh.settle();
      await mesh.jobs.person.deleteAccount(email);
      await mesh.jobs.person.register({ email, name: 'Second', validation: false });
      await run();
      await mesh.refeed(mesh.cars);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
      expect(await names(bystander)).toEqual(['First', 'First', 'First']);
      expect(await parked()).toEqual([]);
    });

    it('but who has that date there under an address that is new here may be who gave the other one up', async () => {
      const [email, other] = [address(), address()];
      await fromCars(email);
      await mesh.jobs.host.person.changeEmail(email, other);
      // Here this makes a second account, as the documentation says.
      await mesh.jobs.person.editProfile(other, { name: 'First' });
      await mesh.jobs.person.register({ email, name: 'Somebody else', validation: false });
      await run();
      await mesh.jobs.person.deleteAccount(email);
      await run();
      expect((await names(email)).slice(1)).toEqual(['First', 'First']);
      expect(await names(other)).toEqual(['First', 'First', 'First']);
    });

    it.each([
      ['the same second', '2020-01-01 00:00:00'],
      ['other days', '2020-02-02 00:00:00'],
    ])(
      'accounts of %s that swapped their addresses here are not written over each other there',
      async (_when, date) => {
        const [a, b, between] = [address(), address(), address()];
        await fromCars(a, 'Ana', '2020-01-01 00:00:00');
        await fromCars(b, 'Ben', date);
        const ben = await at('jobs', b);
        for (const [from, to] of [
          [a, between],
          [b, a],
          [between, b],
        ] as const) {
          await mesh.cars.host.write('UPDATE {user} SET s_email = ? WHERE s_email = ?', [to, from]);
        }
        await mesh.settle();
        await mesh.cars.host.person.editProfile(b, { name: 'Ana at b' });
        await mesh.settle();
        expect(await at('homes', b)).toMatchObject({ s_name: 'Ana at b' });
        expect(await at('jobs', b)).toMatchObject({ s_name: 'Ben', s_password: ben?.s_password });
        await mesh.jobs.person.editProfile(b, { name: 'Ben 2' });
        await mesh.settle();
        expect(await at('cars', b)).toMatchObject({ s_name: 'Ana at b' });
      },
    );
  });

  describe('a row about an account that was removed here', () => {
    it('changes nothing of who registered with the address since, while the peer is away', async () => {
      const email = address();
      await fromJobs(email);
      mesh.weather = (way) => (way === 'in' ? 'refused' : 'fair');
      await mesh.cars.host.person.deleteAccount(email);
      await mesh.work(mesh.cars);
      await mesh.cars.host.person.register({ email, name: 'Second', validation: false });
      await mesh.work(mesh.cars);
      const second = await at('cars', email);
      await mesh.jobs.host.person.changePassword(email);
      await mesh.jobs.person.editProfile(email, { name: 'First edited' });
      await mesh.jobs.runCron();
      await mesh.work(mesh.cars);
      expect(await at('cars', email)).toEqual(second);
      mesh.weather = () => 'fair';
      await mesh.settle();
      await mesh.refeed(mesh.cars);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
      expect(await at('jobs', email)).toMatchObject({ s_password: second?.s_password });
      expect(await parked()).toEqual([]);
    });

    it('nor where another daemon did both, and the run there is between its messages', async () => {
      const email = address();
      await fromJobs(email);
      await mesh.jobs.person.editProfile(email, { name: 'First edited' });
      await mesh.homes.host.person.deleteAccount(email);
      await drainAll(mesh.homes);
      await mesh.homes.host.person.register({ email, name: 'Second', validation: false });
      await drainAll(mesh.homes);
      await deliverAll(mesh.homes, 'cars');
      const second = await at('cars', email);
      expect(second).toMatchObject({ s_name: 'Second' });
      await mesh.jobs.runCron();
      expect(await at('cars', email)).toEqual(second);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
    });

    it('nor where the peer was told of the removal while the row was on its way', async () => {
      const email = address();
      await fromJobs(email);
      await mesh.jobs.person.editProfile(email, { name: 'First edited' });
      const late = await readRow(mesh.jobs.host, Number((await at('jobs', email))?.pk_i_id));
      await mesh.cars.host.person.deleteAccount(email);
      await mesh.work(mesh.cars);
      expect(await at('jobs', email)).toBeUndefined();
      await mesh.cars.host.person.register({ email, name: 'Second', validation: false });
      await drainAll(mesh.cars);
      const second = await at('cars', email);
      const body = buildPhpForm({
        ascSync: 1,
        ascApiKey: keyOf('jobs'),
        ascAction: 'userStreamPost',
        ascData: late,
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      await fetch(mesh.cars.url, { method: 'POST', body, headers });
      expect(await at('cars', email)).toEqual(second);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
    });
  });

  describe('the removal of an account that is in no feed there', () => {
    /** Days later, whatever was undecided is decided. */
    const daysPass = async (): Promise<void> => {
      await mesh.cars.db.query(
        'UPDATE oc_account_sync_seen SET changed_at = changed_at - INTERVAL 3 DAY, replaced_until = replaced_until - INTERVAL 3 DAY',
      );
      await (await siteOf(mesh.cars)).plugin.sweep();
      await mesh.settle();
    };

    /** Registered here, and deactivated by an administrator; the peer was told of both, and never said anything of it. */
    const inactiveFromCars = async (email: string, name: string): Promise<void> => {
      await mesh.cars.host.person.register({ email, name, validation: false });
      await mesh.work(mesh.cars);
      await mesh.cars.host.admin.deactivate(email);
      await mesh.work(mesh.cars);
      expect(await at('jobs', email)).toMatchObject({ s_name: name, b_active: 0 });
    };

    it('removes it everywhere where a later run had blocked it', async () => {
      const email = address();
      await mesh.jobs.person.register({ email, name: 'Spam', validation: false });
      await run();
      await mesh.jobs.admin.block(email);
      await run();
      await mesh.jobs.admin.deleteUser(email);
      await run();
      expect(await names(email)).toEqual(NOWHERE);
    });

    it('removes it everywhere where it was told long ago, and blocked and deleted there within minutes', async () => {
      const email = address();
      await fromCars(email);
      await daysPass();
      await mesh.jobs.admin.block(email);
      await run();
      await mesh.jobs.admin.deleteUser(email);
      await run();
      expect(await names(email)).toEqual(NOWHERE);
    });

    it.each([
      ['never validated', 'jobs'],
      ['deactivated here', 'cars'],
      ['blocked after it was told', 'told'],
      ['blocked after a feed', 'fed'],
    ] as const)('removes it everywhere two days later, for want of any sign of life (%s: %s)', async (_what, how) => {
      const email = address();
      if (how === 'jobs') {
        await mesh.jobs.person.register({ email, name: 'Spam', validation: true });
        await run();
      } else if (how === 'cars') {
        await inactiveFromCars(email, 'Spam');
        await run();
      } else {
        await fromCars(email);
        if (how === 'fed') await mesh.refeed(mesh.cars);
        await mesh.jobs.admin.block(email);
        await run();
      }
      expect(await at('jobs', email)).toBeDefined();
      await mesh.jobs.admin.deleteUser(email);
      await run();
      // What is changed here meanwhile makes no account there without name and password.
      await mesh.cars.host.write("UPDATE {user} SET s_phone_land = '93' WHERE s_email = ?", [email]);
      await mesh.settle();
      expect(await at('jobs', email)).toBeUndefined();
      expect(await at('cars', email)).toMatchObject({ s_phone_land: '93' });
      await daysPass();
      expect(await names(email)).toEqual(NOWHERE);
      await mesh.refeed(mesh.cars);
      await mesh.settle();
      expect(await names(email)).toEqual(NOWHERE);
      const kept = await mesh.cars.db.query('SELECT email FROM oc_account_sync_seen WHERE email IS NOT NULL');
      expect(kept).toEqual([]);
    });

    it.each(['jobs', 'cars'] as const)('removes nobody who was activated meanwhile (%s)', async (site) => {
      const email = address();
      // Of the first, nobody else ever knew.
      await mesh.jobs.host.person.register({ email, name: 'First', validation: false });
      await mesh.jobs.person.deleteAccount(email);
      if (site === 'jobs') await mesh.jobs.person.register({ email, name: 'Second', validation: true });
      else await inactiveFromCars(email, 'Second');
      await run();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
      // By the link in the mail, of which the plugin tells nobody.
      await hostOf(site).admin.activate(email);
      await daysPass();
      await mesh.refeed(mesh.cars);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
      expect(await at('cars', email)).toMatchObject({ b_active: 1 });
    });

    it('removes nobody who registered here, and was not told to the peer, for nobody confirmed it', async () => {
      const email = address();
      await mesh.jobs.host.person.register({ email, name: 'First', validation: false });
      await mesh.jobs.person.deleteAccount(email);
      await mesh.cars.host.person.register({ email, name: 'Second', validation: true });
      await mesh.work(mesh.cars);
      await run();
      expect(await names(email)).toEqual([undefined, 'Second', 'Second']);
      await daysPass();
      expect(await names(email)).toEqual([undefined, 'Second', 'Second']);
      await mesh.cars.host.person.clickValidationLink(email);
      await mesh.settle();
      expect(await names(email)).toEqual(['Second', 'Second', 'Second']);
    });

    it('removes nobody who was activated there, and has another address by then', async () => {
      const [email, other] = [address(), address()];
      await inactiveFromCars(email, 'First');
      await run();
      // All of it unheard: the links in the mails, and who took the address and left before the run.
      await mesh.jobs.host.admin.activate(email);
      await mesh.jobs.host.person.changeEmail(email, other);
      await mesh.jobs.person.register({ email, name: 'Second', validation: false });
      await mesh.jobs.person.deleteAccount(email);
      await run();
      await daysPass();
      expect(await names(email)).toEqual([undefined, 'First', 'First']);
      expect(await at('jobs', other)).toMatchObject({ s_name: 'First' });
    });

    it('removes nobody of whom the peer says something after it', async () => {
      const email = address();
      await mesh.jobs.host.person.register({ email, name: 'First', validation: false });
      await mesh.jobs.person.deleteAccount(email);
      await mesh.jobs.person.register({ email, name: 'Second', validation: true });
      await run();
      await mesh.jobs.admin.editUser(email, { name: 'Second, edited' });
      await run();
      await daysPass();
      expect(await names(email)).toEqual(['Second, edited', 'Second, edited', 'Second, edited']);
    });

    it('waits while the peer cannot be asked', async () => {
      const email = address();
      await mesh.jobs.person.register({ email, name: 'Spam', validation: true });
      await run();
      await mesh.jobs.admin.deleteUser(email);
      await run();
      mesh.weather = (way) => (way === 'in' ? 'refused' : 'fair');
      await daysPass();
      expect(await names(email)).toEqual([undefined, 'Spam', 'Spam']);
      mesh.weather = () => 'fair';
      await daysPass();
      expect(await names(email)).toEqual(NOWHERE);
    });
  });

  describe('a table that was renumbered there', () => {
    const renumber = async (from: unknown, to: unknown): Promise<unknown> =>
      await mesh.jobs.host.write('UPDATE {user} SET pk_i_id = ? WHERE pk_i_id = ?', [to, from]);

    it.each(['unheard', 'heard by a feed'])(
      'does not keep an account there that is then deleted here (%s)',
      async (how) => {
        const email = address();
        await fromJobs(email);
        await mesh.jobs.host.write('DELETE FROM {user_description}');
        const id = Number((await at('jobs', email))?.pk_i_id);
        await renumber(id, id + 5000);
        if (how !== 'unheard') await mesh.refeed(mesh.cars);
        await mesh.cars.host.person.deleteAccount(email);
        await mesh.settle();
        expect(await names(email)).toEqual(NOWHERE);
        await mesh.refeed(mesh.cars);
        await mesh.settle();
        expect(await names(email)).toEqual(NOWHERE);
      },
    );

    it('nor removes whoever has the id now', async () => {
      const [a, b] = [address(), address()];
      await fromJobs(a, 'Ana', '2020-05-05 10:00:00');
      await fromJobs(b, 'Ben', '2020-06-06 10:00:00');
      await mesh.jobs.host.write('DELETE FROM {user_description}');
      const [ana, ben] = [(await at('jobs', a))?.pk_i_id, (await at('jobs', b))?.pk_i_id];
      await renumber(ana, 99_999);
      await renumber(ben, ana);
      await renumber(99_999, ben);
      await mesh.cars.host.person.deleteAccount(b);
      await mesh.settle();
      await mesh.refeed(mesh.cars);
      await mesh.settle();
      expect(await names(a)).toEqual(['Ana', 'Ana', 'Ana']);
      expect(await names(b)).toEqual(NOWHERE);
    });
  });
});
