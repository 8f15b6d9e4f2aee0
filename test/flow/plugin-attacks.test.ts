/** What can go wrong between daemons and plugins: echoes, stale rows, crossing messages, removals that come back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { siteOf } from '../support/by-hand.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';

let mesh: PluginMesh;
let count = 0;
/** Another one for each test. */
let email = '';

beforeAll(async () => {
  mesh = await makePluginMesh();
}, 60_000);
afterAll(() => mesh.close());
beforeEach(() => {
  mesh.weather = () => 'fair';
  email = `a${++count}@example.com`;
});

const nameAt = async (host: PluginMesh['cars']['host'], address = email): Promise<unknown> =>
  (await host.user(address))?.s_name;
const everywhere = async (address = email): Promise<unknown[]> => [
  await nameAt(mesh.cars.host, address),
  await nameAt(mesh.homes.host, address),
  await nameAt(mesh.jobs.host, address),
];
const equalEverywhere = async (): Promise<unknown[]> => [
  ...(await mesh.world.differences()),
  ...(await mesh.differences(mesh.cars)),
];

/** An account that all three have. */
async function settled(name = 'Ana'): Promise<void> {
  await mesh.cars.host.person.register({ email, name, validation: false });
  await mesh.settle();
  expect(await everywhere()).toEqual([name, name, name]);
}

describe('silence', () => {
  it('lasts for a day of schedules once all is told, whatever the texts', async () => {
    const { cars, homes, jobs } = mesh;
    const texts = [
      'Zoë & Co',
      '<b>bold</b> <3',
      'caf&eacute; &amp; &lt;',
      '+49',
      '1e5',
      ' 007 ',
      '.5',
      '😀',
      'a\r\nb',
      '',
    ];
    const hosts = [cars.host, homes.host, jobs];
    for (const [n, text] of texts.entries()) {
      const { person } = hosts[n % 3] as typeof jobs;
      const address = `silent${n}@example.com`;
      await person.register({ email: address, name: text, validation: false });
      await person.editProfile(address, {
        phoneMobile: text,
        address: text,
        zip: '+0049',
        website: 'https://example.com/?a=1&b=2',
        country: 'ES',
        region: 'Andalucía',
        city: 'Sevilla',
        info: { en_US: `${text} ${text}` },
      });
    }
    await mesh.settle();
    // The plugin has what it has made of them; the first rows that show it are read.
    for (const [n] of texts.entries()) await jobs.person.editProfile(`silent${n}@example.com`, {});
    await mesh.settle();
    const posts = (): number => jobs.sendings.length;
    const logged = async (): Promise<number> => {
      const counts = await Promise.all(
        mesh.world.sites.map(({ db }) =>
          db.query<{ n: string }>(
            `SELECT COUNT(*) AS n FROM oc_account_sync_log
             WHERE (type = 'STREAM' AND content LIKE '%"operation":"send"%') OR content LIKE '%"result":"applied"%'`,
          ),
        ),
      );
      return counts.reduce((sum, [row]) => sum + Number(row?.n), 0);
    };
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
    const [before, entries, rows] = [posts(), await logged(), JSON.stringify(await jobs.host.users())];
    for (let hour = 0; hour < 24; hour++) {
      await mesh.hourPasses();
      await jobs.runCron();
      for (const one of mesh.world.sites) {
        await mesh.refeed(one);
        await mesh.work(one);
      }
    }
    expect([posts(), await logged(), JSON.stringify(await jobs.host.users())]).toEqual([before, entries, rows]);
    expect(await equalEverywhere()).toEqual([]);
  }, 120_000);
});

describe('what is older', () => {
  it('does not come back from a plugin that was told it, though the answer got lost', async () => {
    await settled();
    await mesh.cars.host.person.editProfile(email, { name: 'Told' });
    mesh.weather = (way) => (way === 'in' ? 'answer-lost' : 'fair');
    await mesh.work(mesh.cars);
    expect(await nameAt(mesh.jobs.host)).toBe('Told');
    mesh.weather = (way) => (way === 'in' ? 'refused' : 'fair');
    await mesh.cars.host.person.editProfile(email, { name: 'Later' });
    await mesh.work(mesh.cars);
    await mesh.jobs.person.editProfile(email, { phoneMobile: '42' });
    await mesh.jobs.runCron();
    expect(await mesh.cars.host.user(email)).toMatchObject({ s_name: 'Later', s_phone_mobile: '42' });
    mesh.weather = () => 'fair';
    await mesh.settle();
    expect(await everywhere()).toEqual(['Later', 'Later', 'Later']);
  });

  it('of two daemons, the last to tell the plugin tells it the later', async () => {
    await settled();
    await mesh.cars.host.person.editProfile(email, { name: 'First' });
    await (await siteOf(mesh.cars)).drain();
    await mesh.homes.host.person.editProfile(email, { name: 'Second' });
    await mesh.work(mesh.homes);
    // Cars has heard of the second, but its own entry is still to go.
    await mesh.settle();
    expect(await everywhere()).toEqual(['Second', 'Second', 'Second']);
  });

  it('loses where two messages cross: what the plugin tells is told back to it', async () => {
    await settled();
    await mesh.cars.host.person.editProfile(email, { phoneMobile: '1' });
    await mesh.jobs.person.editProfile(email, { name: 'Theirs' });
    await mesh.settle();
    expect(await equalEverywhere()).toEqual([]);
  });
});

describe('a flag', () => {
  it.each([true, false])(
    'that was switched here and back there is back everywhere (asked for an hour later: %s)',
    async (later) => {
      await settled();
      await mesh.cars.host.admin.block(email);
      await mesh.work(mesh.cars);
      expect(await mesh.jobs.host.user(email)).toMatchObject({ b_enabled: 0 });
      if (later) await mesh.hourPasses();
      await mesh.jobs.admin.unblock(email);
      await mesh.jobs.runCron();
      await mesh.settle();
      const flags = await Promise.all(
        [mesh.cars.host, mesh.homes.host, mesh.jobs.host].map(async (host) => (await host.user(email))?.b_enabled),
      );
      // At once, it may be older than what was told: then ours stays, and is told again.
      expect(flags).toEqual(later ? [1, 1, 1] : [0, 0, 0]);
    },
  );
});

describe('a removal', () => {
  it('comes back from the plugin, and does not reach who registered again meanwhile', async () => {
    await settled();
    await mesh.cars.host.person.deleteAccount(email);
    await mesh.work(mesh.cars);
    expect(await nameAt(mesh.jobs.host)).toBeUndefined();
    await mesh.homes.host.person.register({ email, name: 'Again', validation: false });
    await mesh.work(mesh.homes);
    expect(mesh.jobs.queue.removals).toContain(email);
    await mesh.settle();
    expect(await everywhere()).toEqual(['Again', 'Again', 'Again']);
  });

  it('does not reach who registered again on the plugin site, before its own echo was sent', async () => {
    await settled();
    await mesh.cars.host.person.deleteAccount(email);
    await mesh.work(mesh.cars);
    await mesh.jobs.host.write('UPDATE {user} SET dt_reg_date = dt_reg_date');
    await mesh.hourPasses();
    const later = mesh.jobs.host.site.clock;
    mesh.jobs.host.site.clock = () => Date.now() + 5_000;
    await mesh.jobs.person.register({ email, name: 'Again', validation: false });
    mesh.jobs.host.site.clock = later;
    await mesh.settle();
    expect(await everywhere()).toEqual(['Again', 'Again', 'Again']);
  });

  it('is not undone by a row that the plugin sends to a daemon that never told it of the account', async () => {
    await settled();
    await mesh.cars.host.person.deleteAccount(email);
    mesh.weather = (way) => (way === 'in' ? 'refused' : 'fair');
    await mesh.work(mesh.cars);
    expect(await everywhere()).toEqual([undefined, undefined, 'Ana']);
    await mesh.jobs.person.editProfile(email, { name: 'Ana, late' });
    await mesh.jobs.runCron();
    expect(await everywhere()).toEqual([undefined, undefined, 'Ana, late']);
    mesh.weather = () => 'fair';
    await mesh.settle();
    expect(await everywhere()).toEqual([undefined, undefined, undefined]);
  });

  it('of the plugin removes everywhere, once', async () => {
    await settled();
    await mesh.jobs.person.deleteAccount(email);
    await mesh.settle();
    expect(await everywhere()).toEqual([undefined, undefined, undefined]);
    await mesh.jobs.runCron();
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
    expect(await everywhere()).toEqual([undefined, undefined, undefined]);
  });
});

describe('a change of address', () => {
  it('on a daemon leaves the old account with the plugin, and the daemons alone', async () => {
    await settled();
    await mesh.cars.host.person.changeEmail(email, `new-${email}`);
    await mesh.settle();
    expect(await everywhere(`new-${email}`)).toEqual(['Ana', 'Ana', 'Ana']);
    expect(await everywhere()).toEqual([undefined, undefined, 'Ana']);
    for (const one of mesh.world.sites) await mesh.refeed(one);
    await mesh.settle();
    // Not even if somebody goes on with it there; but somebody new is somebody new.
    await mesh.jobs.person.editProfile(email, { name: 'Ana, still' });
    await mesh.settle();
    expect(await everywhere()).toEqual([undefined, undefined, 'Ana, still']);
    await mesh.jobs.host.person.deleteAccount(email);
    await mesh.jobs.person.register({ email, name: 'Bea', validation: false });
    await mesh.jobs.host.write("UPDATE {user} SET dt_reg_date = '2020-02-02 02:02:02' WHERE s_email = ?", [email]);
    await mesh.settle();
    expect(await everywhere()).toEqual(['Bea', 'Bea', 'Bea']);
  });

  it('on the plugin makes a second account on the daemons, and removes none', async () => {
    await settled();
    await mesh.jobs.person.changeEmail(email, `new-${email}`);
    await mesh.jobs.person.editProfile(`new-${email}`, {});
    await mesh.settle();
    expect(await everywhere(`new-${email}`)).toEqual(['Ana', 'Ana', 'Ana']);
    expect((await everywhere()).slice(0, 2)).toEqual(['Ana', 'Ana']);
  });
});
