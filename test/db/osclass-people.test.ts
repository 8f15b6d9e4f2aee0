import { describe, expect, it } from 'vitest';
import type { TableChange } from '../support/osclass/changes.ts';
import { freshSite, settle } from '../support/osclass/fresh-site.ts';
import type { Host } from '../support/osclass/host.ts';

const updated = (...columns: string[]): TableChange => ({ inserted: 0, deleted: 0, updated: columns.toSorted() });
const inserted = (count: number): TableChange => ({ inserted: count, deleted: 0, updated: [] });
const deleted = (count: number): TableChange => ({ inserted: 0, deleted: count, updated: [] });

describe('what a person does', () => {
  it('registers: the row, its id as user name, descriptions; not active before the link was clicked', async () => {
    const host = await freshSite({ timezone: 'Europe/Madrid' });
    const changes = await host.changes(async () =>
      host.person.register({ email: 'ana@example.com', name: 'Ana', info: { en_US: 'Hi' } }),
    );
    expect(changes).toEqual({ user: inserted(1), user_description: inserted(1), log: inserted(1) });
    const ana = await host.user('ana@example.com');
    expect(ana).toMatchObject({ s_username: String(ana?.pk_i_id), b_active: 0, b_enabled: 1, s_website: '' });
    expect(ana?.dt_reg_date).toMatch(/^2024-06-01 12:/);
    await expect(host.person.register({ email: 'ANA@example.com', name: 'Ana' })).rejects.toThrow('already in use');
    expect(await host.changes(async () => host.person.clickValidationLink('ana@example.com'))).toEqual({
      user: updated('b_active'),
    });
  });

  it('registers without validation and takes over what the guest left', async () => {
    const host = await freshSite();
    const item = await host.items.post(null, { guest: { name: 'A.', email: 'ana@example.com' } });
    await host.items.saveAlert({ guestEmail: 'ana@example.com' });
    const id = await host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
    expect(await host.user(id)).toMatchObject({ b_active: 1, i_items: 1 });
    expect(await host.select('SELECT fk_i_user_id, s_contact_name FROM {item} WHERE pk_i_id = ?', [item])).toEqual([
      { fk_i_user_id: id, s_contact_name: 'Ana' },
    ]);
    expect(await host.select('SELECT fk_i_user_id FROM {alerts}')).toEqual([{ fk_i_user_id: id }]);
    expect(await host.recount()).toEqual([]);
  });

  it('edits the profile: its columns, the date, descriptions, the name in items and comments', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    const changes = await host.changes(async () =>
      host.person.editProfile(ana, {
        name: 'Ana María',
        phoneMobile: '+34 600',
        city: 'Madrid',
        info: { es_ES: 'Hola' },
      }),
    );
    expect(changes).toEqual({
      user: updated('dt_mod_date', 's_name', 's_phone_mobile', 'fk_i_city_id', 's_city'),
      user_description: inserted(2),
      item: updated('s_contact_name'),
      item_comment: updated('s_author_name'),
      log: inserted(1),
    });
    expect(await host.changes(async () => host.person.editProfile(ana, { city: 'Nowhere' }))).toMatchObject({
      user: updated('dt_mod_date', 'fk_i_city_id', 's_city'),
    });
  });

  it.each([
    ['changes the password', ['s_password'], async (host: Host, ana: number) => host.person.changePassword(ana)],
    ['is rehashed at login', ['s_password'], async (host: Host, ana: number) => host.person.loginRehash(ana, 11)],
    [
      'is left alone at login with the same cost',
      [],
      async (host: Host, ana: number) => host.person.loginRehash(ana, 15),
    ],
    [
      'changes the user name',
      ['s_username'],
      async (host: Host, ana: number) => host.person.changeUserName(ana, 'ana'),
    ],
    ['logs in to be remembered', ['s_secret'], async (host: Host, ana: number) => host.person.loginRemembered(ana)],
    [
      'views a page',
      ['dt_access_date', 's_access_ip'],
      async (host: Host, ana: number) => host.person.viewPage(ana, '203.0.113.9'),
    ],
    [
      'asks for a new password',
      ['s_pass_code', 's_pass_date', 's_pass_ip'],
      async (host: Host, ana: number) => host.person.requestPasswordReset(ana),
    ],
  ])('%s: writes %j', async (_, columns, act) => {
    const host = await freshSite();
    const { ana } = await settle(host);
    const changes = await host.changes(async () => act(host, ana));
    expect(changes).toEqual(columns.length > 0 ? { user: updated(...columns) } : {});
  });

  it('resets the password once by the link in the mail', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    const code = await host.person.requestPasswordReset(ana);
    expect(await host.changes(async () => host.person.resetPassword(ana, code))).toEqual({
      user: updated('s_password', 's_pass_code', 's_pass_date'),
    });
    await expect(host.person.resetPassword(ana, code)).rejects.toThrow('not valid');
  });

  it('changes the e-mail: waits for the link, then is copied to items, comments and alerts', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    let code = '';
    const asked = await host.changes(async () => {
      code = await host.person.requestEmailChange(ana, 'ana@example.org');
    });
    expect(asked).toEqual({ user_email_tmp: inserted(1), user: updated('s_pass_code', 's_pass_date', 's_pass_ip') });
    await expect(host.person.confirmEmailChange(ana, 'wrong')).rejects.toThrow('not valid');
    expect(await host.changes(async () => host.person.confirmEmailChange(ana, code))).toEqual({
      user: updated('s_email'),
      user_email_tmp: deleted(1),
      item: updated('s_contact_email'),
      item_comment: updated('s_author_email'),
      alerts: updated('s_email'),
    });
    await expect(host.person.requestEmailChange(ana, 'BOB@example.com')).rejects.toThrow('already in use');
  });

  it('deletes the account with everything that hangs on it, and nothing of others', async () => {
    const host = await freshSite();
    const { ana, bob, item } = await settle(host);
    await host.person.editProfile(ana, {});
    await host.person.requestEmailChange(ana, 'ana@example.org');
    let images: string[] = [];
    const changes = await host.changes(async () => {
      images = await host.person.deleteAccount(ana);
    });
    expect(images).toEqual([`oc-content/uploads/0/${item}.jpg`]);
    expect(changes).toEqual({
      user: deleted(1),
      user_description: deleted(2),
      user_email_tmp: deleted(1),
      alerts: deleted(1),
      item: deleted(1),
      item_description: deleted(1),
      item_location: deleted(1),
      item_resource: deleted(1),
      item_stats: deleted(1),
      item_meta: deleted(1),
      item_comment: deleted(2),
      category_stats: updated('i_num_items'),
      country_stats: updated('i_num_items'),
      region_stats: updated('i_num_items'),
      city_stats: updated('i_num_items'),
    });
    expect(await host.user(bob)).toMatchObject({ i_items: 1 });
    expect(await host.recount()).toEqual([]);
  });

  it('loses emoji where names are 3-byte utf8: MariaDB stores question marks, MySQL cuts the text off', async () => {
    const [old, modern] = [await freshSite({ flavour: '5.2' }), await freshSite({ flavour: '8' })];
    for (const host of [old, modern]) await host.person.register({ email: 'ana@example.com', name: 'Ana 🚲' });
    expect((await old.user('ana@example.com'))?.s_name).toMatch(/^Ana (\?{4})?$/);
    expect(await modern.user('ana@example.com')).toMatchObject({ s_name: 'Ana 🚲' });
  });
});

describe('what an administrator does', () => {
  it('blocks: b_enabled and the items with their statistics; unblocking revives also what a moderator had hidden', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    const hidden = await host.items.post(ana);
    await host.items.setEnabled(hidden, false);
    const stats = updated('i_num_items');
    expect(await host.changes(async () => host.admin.block(ana))).toEqual({
      user: updated('b_enabled', 'i_items'),
      item: updated('b_enabled'),
      category_stats: stats,
      country_stats: stats,
      region_stats: stats,
      city_stats: stats,
      log: inserted(1),
    });
    await host.admin.unblock(ana);
    expect(await host.select('SELECT b_enabled FROM {item} WHERE pk_i_id = ?', [hidden])).toEqual([{ b_enabled: 1 }]);
    expect(await host.recount()).toEqual([]);
  });

  it('deactivates and activates: b_active, and items likewise', async () => {
    const host = await freshSite();
    const { ana, item } = await settle(host);
    await host.admin.deactivate(ana);
    expect(await host.user(ana)).toMatchObject({ b_active: 0, b_enabled: 1, i_items: 0 });
    expect(await host.select('SELECT b_enabled FROM {item} WHERE pk_i_id = ?', [item])).toEqual([{ b_enabled: 0 }]);
    await host.admin.activate(ana);
    expect(await host.user(ana)).toMatchObject({ b_active: 1, i_items: 1 });
  });

  it('edits a user: also e-mail, user name and password, with copies in items, comments and alerts', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    const form = { name: 'A.', email: 'a@example.com', userName: 'a', newPassword: true, enabled: false };
    expect(await host.changes(async () => host.admin.editUser(ana, form))).toEqual({
      user: updated('dt_mod_date', 's_name', 's_email', 's_username', 's_password', 'b_enabled'),
      item: updated('s_contact_name', 's_contact_email'),
      item_comment: updated('s_author_name', 's_author_email'),
      alerts: updated('s_email'),
      log: inserted(1),
    });
  });

  it('cannot delete the item of a user whose counter is too low, as in Osclass', async () => {
    const host = await freshSite();
    const { ana } = await settle(host);
    await host.write('UPDATE {user} SET i_items = 0');
    await expect(host.admin.deleteUser(ana)).rejects.toMatchObject({ errno: 1690 });
  });
});
