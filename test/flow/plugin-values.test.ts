/**
 * What a plugin site has, and nobody here has an opinion on, stays there: NULL, empty and absent are three things, and a
 * row that is sent names only what changed.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginAgain, scanAll, siteOf } from '../support/by-hand.ts';
import type { Host } from '../support/osclass/host.ts';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';

const HASH = '$2y$10$rbPs92KTd36hlzZXTJjayOdje1sxRKiAnKP/u4XSmxmWD1OAEKh3S';

describe('values that only the plugin site has', () => {
  let mesh: PluginMesh;
  let email = '';
  let count = 0;
  beforeAll(async () => {
    mesh = await makePluginMesh({ jobs: { flavour: '8' } });
  }, 60_000);
  afterAll(() => mesh.close());
  beforeEach(() => {
    email = `v${++count}@example.com`;
  });

  const columns = async (host: Host, ...names: string[]): Promise<unknown[]> => {
    const row = (await host.user(email)) ?? {};
    return names.map((name) => row[name]);
  };
  const here = (...names: string[]) => columns(mesh.cars.host, ...names);
  const there = (...names: string[]) => columns(mesh.jobs.host, ...names);
  /** As an import, another plugin or a person at a prompt: no hook, no dt_mod_date. */
  const fill = async (assignments: string): Promise<void> => {
    await mesh.jobs.host.write(`UPDATE {user} SET ${assignments} WHERE s_email = ?`, [email]);
  };
  /** An account from before the daemon, on both sites; later here, so that ours wins where both have an opinion. */
  const haveBoth = async (extra = ''): Promise<void> => {
    await beginAgain(mesh.cars);
    await mesh.cars.db.query('DELETE FROM oc_account_sync_seen');
    for (const [host, date] of [
      [mesh.cars.host, '2024-06-01 10:00:00'],
      [mesh.jobs.host, '2024-05-01 10:00:00'],
    ] as const) {
      const { id } = await host.write(
        `INSERT INTO {user} SET s_name = 'Ana', s_username = 'ana', s_email = ?, s_password = ?, s_secret = 'x', b_active = 1,
         dt_reg_date = ?, dt_mod_date = ? ${extra}`,
        [email, HASH, date, date],
      );
      await host.write('UPDATE {user} SET s_username = pk_i_id WHERE pk_i_id = ?', [id]);
    }
    await scanAll(mesh.world);
  };
  const editHere = async (name: string): Promise<void> => {
    await mesh.cars.host.write('UPDATE {user} SET s_name = ? WHERE s_email = ?', [name, email]);
    await mesh.work(mesh.cars);
  };

  it('columns that were NULL on both, filled there by SQL, come with a feed, and stay there', async () => {
    await haveBoth();
    await fill("s_website = 'https://ana.example.com', s_phone_land = '0911 1', d_coord_lat = 48.5");
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    const filled = ['https://ana.example.com', '0911 1'];
    expect(await there('s_website', 's_phone_land')).toEqual(filled);
    expect(await here('s_website', 's_phone_land', 'd_coord_lat')).toEqual([...filled, '48.500000']);
  });

  it('so do those filled after the sites had met, and an edit here does not empty them', async () => {
    await haveBoth();
    await mesh.refeed(mesh.cars);
    await fill("s_website = 'https://b.example.com', s_address = 'Street 1', s_zip = '10115'");
    await editHere('Ana B');
    expect(await there('s_name', 's_website', 's_address')).toEqual(['Ana B', 'https://b.example.com', 'Street 1']);
    await mesh.refeed(mesh.cars);
    await editHere('Ana C');
    expect(await here('s_website', 's_address', 's_zip')).toEqual(['https://b.example.com', 'Street 1', '10115']);
    expect(await there('s_name', 's_address', 's_zip')).toEqual(['Ana C', 'Street 1', '10115']);
  });

  it('an edit that is sent before anything was heard of the account empties nothing there', async () => {
    await haveBoth(", s_website = '', s_phone_land = ''");
    await fill("s_website = 'https://c.example.com', s_phone_land = '0911 3'");
    await editHere('Ana D');
    expect(await there('s_name', 's_website', 's_phone_land')).toEqual(['Ana D', 'https://c.example.com', '0911 3']);
    await mesh.refeed(mesh.cars);
    expect(await here('s_website', 's_phone_land')).toEqual(['https://c.example.com', '0911 3']);
  });

  it('a profile that is saved here with blank fields empties nothing that was filled there', async () => {
    await haveBoth();
    await mesh.refeed(mesh.cars);
    await fill("s_website = 'https://d.example.com', s_zip = '20095'");
    // The form writes '' where there was NULL.
    await mesh.cars.host.person.editProfile(email, { phoneMobile: '42', city: 'Hamburg' });
    await mesh.work(mesh.cars);
    expect(await there('s_phone_mobile', 's_city', 's_website', 's_zip')).toEqual([
      '42',
      'Hamburg',
      'https://d.example.com',
      '20095',
    ]);
    await mesh.refeed(mesh.cars);
    expect(await here('s_website', 's_zip', 's_city')).toEqual(['https://d.example.com', '20095', 'Hamburg']);
  });

  it('a page of our feed that the plugin takes empties nothing either', async () => {
    await haveBoth();
    await fill("s_website = 'https://e.example.com'");
    expect(await mesh.jobs.feed('cars')).toBe(1);
    expect(await there('s_website')).toEqual(['https://e.example.com']);
  });

  it('what somebody empties here is emptied there', async () => {
    await haveBoth(", s_website = 'https://f.example.com', s_phone_land = '5'");
    await mesh.refeed(mesh.cars);
    await mesh.cars.host.person.editProfile(email, { website: '' });
    await mesh.cars.host.write('UPDATE {user} SET s_phone_land = NULL WHERE s_email = ?', [email]);
    await mesh.work(mesh.cars);
    expect(await there('s_website', 's_phone_land')).toEqual(['', '']);
  });

  it('a password, a clicked link, and what another plugin wrote there survive an unrelated edit here', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', validation: false });
    await mesh.work(mesh.cars);
    await mesh.cars.host.admin.deactivate(email);
    await mesh.work(mesh.cars);
    expect(await there('b_active')).toEqual([0]);
    const hash = await mesh.jobs.host.person.changePassword(email);
    await fill("b_active = 1, s_phone_land = '0911 7'");
    await editHere('Eva B');
    expect(await there('s_name', 's_password', 'b_active', 's_phone_land')).toEqual(['Eva B', hash, 1, '0911 7']);
  });

  it('a password that is changed here still goes there', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', validation: false });
    await mesh.work(mesh.cars);
    const hash = await mesh.cars.host.person.changePassword(email);
    await mesh.work(mesh.cars);
    expect(await there('s_password')).toEqual([hash]);
  });

  it('a value that this site cannot store is not overwritten there with the one before', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', website: 'https://g.example.com', validation: false });
    await mesh.work(mesh.cars);
    await mesh.hourPasses();
    await mesh.jobs.person.editProfile(email, { website: 'https://😀.example.com' });
    await mesh.jobs.runCron();
    expect(await here('s_website')).toEqual(['https://g.example.com']);
    await editHere('Eva C');
    expect(await there('s_name', 's_website')).toEqual(['Eva C', 'https://😀.example.com']);
  });

  it('an account that was lost there, and made again by a row of ours, takes nothing from the one here', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', phoneMobile: '77', validation: false });
    await mesh.work(mesh.cars);
    const before = await here('s_name', 's_password', 'b_active', 's_phone_mobile');
    // Nobody tells us.
    await mesh.jobs.host.person.deleteAccount(email);
    await mesh.cars.host.write("UPDATE {user} SET s_website = 'https://h.example.com' WHERE s_email = ?", [email]);
    await mesh.work(mesh.cars);
    await mesh.hourPasses();
    expect(await there('s_website', 's_name')).toEqual(['https://h.example.com', '']);
    await mesh.jobs.admin.activate(email);
    await mesh.jobs.runCron();
    expect(await here('s_name', 's_password', 'b_active', 's_phone_mobile')).toEqual(before);
    await mesh.work(mesh.cars);
    expect(await there('s_name', 's_password', 'b_active', 's_phone_mobile')).toEqual(before);
  });

  it('what does not differ is not sent at all', async () => {
    await mesh.cars.host.person.register({ email, name: 'Eva', validation: false });
    await mesh.work(mesh.cars);
    const site = await siteOf(mesh.cars);
    const requests: string[] = [];
    mesh.weather = (way, account) => {
      requests.push(`${way} ${account}`);
      return 'fair';
    };
    await editHere('Eva B');
    await editHere('Eva');
    await editHere('Eva');
    expect(requests).toEqual(['in cars', 'in cars']);
    mesh.weather = () => 'fair';
    expect((await site.deliver(site.route('jobs'))).done).toBe(0);
  });
});
