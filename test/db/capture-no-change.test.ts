import { describe, expect, it } from 'vitest';
import { capturedSite } from '../support/captured-site.ts';
import type { Flavour } from '../support/osclass/flavour.ts';

describe.each(['3.7', '5.2', '8'] as const)(
  'invariant 6: what equals the shadow is no change (Osclass %s)',
  (flavour: Flavour) => {
    it('page views, logins, counters and a forgotten password enter no outbox', async () => {
      const { host, drainAll, outbox, deliverAll, markers } = await capturedSite({ host: { flavour } });
      const ana = await host.admin.createUser({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hi' } });
      await drainAll();
      await deliverAll();
      await host.person.viewPage(ana, '203.0.113.9');
      await host.person.loginRemembered(ana);
      await host.person.requestPasswordReset(ana);
      await host.items.post(ana);
      if (flavour === '8') await host.write('UPDATE {user} SET i_login_fails = 3, dt_login_fail_date = NOW()');
      expect(await markers()).not.toEqual([]);
      expect(await drainAll()).toEqual([]);
      expect(await outbox()).toEqual([]);
    });

    it('neither does a statement that writes what was there', async () => {
      const { host, drainAll, outbox, deliverAll, rows } = await capturedSite({
        host: { flavour },
        before: (empty) => empty.seed.users({ seed: 11, count: 40 }),
      });
      await drainAll();
      const before = await rows('user');
      await host.write('UPDATE {user} SET s_name = s_name, dt_mod_date = dt_mod_date, d_coord_lat = d_coord_lat');
      await host.write('UPDATE {user_description} SET s_info = s_info');
      await host.write('DELETE FROM {user_description} WHERE s_info IS NULL');
      expect(await drainAll()).toEqual([]);
      // Another connection with other habits, and rows written again, column by column.
      await host.write('SET FOREIGN_KEY_CHECKS = 0');
      await host.write('CREATE TEMPORARY TABLE copy AS SELECT * FROM {user}');
      await host.write('REPLACE INTO {user} SELECT * FROM copy');
      await host.write('INSERT INTO {user} SELECT * FROM copy ON DUPLICATE KEY UPDATE s_name = copy.s_name');
      await host.write('UPDATE {user} SET dt_access_date = NOW(), i_items = i_items + 1');
      expect(await drainAll()).toEqual([]);
      expect(await outbox()).toEqual([]);
      expect(await rows('user')).toEqual(before);
      await deliverAll();
    });
  },
);

describe('invariant 6', () => {
  it('a change that was taken back before the drain looked is none', async () => {
    const { host, drainAll, outbox, deliverAll } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await deliverAll();
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana M.', ana]);
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana', ana]);
    expect(await drainAll()).toEqual([]);
    expect(await outbox()).toEqual([]);
  });

  it('a letter, a capital or a blank at the end is one, whatever the collation thinks', async () => {
    const { host, drainAll, stamp } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    for (const name of ['ANA', 'ANÁ', 'ANÁ ', 'anÁ']) {
      const before = await stamp(ana, 's_name');
      await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', [name, ana]);
      expect(await drainAll()).toEqual([ana]);
      expect(await stamp(ana, 's_name')).not.toBe(before);
    }
  });

  it('a change of one register leaves the stamps of the others alone', async () => {
    const { host, drainAll, stored } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    const before = await stored(ana);
    await host.person.changePassword(ana);
    await drainAll();
    const after = await stored(ana);
    const changed = [...after.shadow.registers.keys()].filter(
      (name) => JSON.stringify(after.shadow.registers.get(name)) !== JSON.stringify(before.shadow.registers.get(name)),
    );
    expect(changed).toEqual(['password']);
  });
});
