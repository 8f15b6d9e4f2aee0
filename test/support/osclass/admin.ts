import { setItemEnabled } from './items.ts';
import { addUser, adoptGuest, type Registration } from './person.ts';
import { profileColumns, profileOf, writeDescriptions, type Profile } from './profile.ts';
import { makeBcrypt } from './random.ts';
import { removeUser } from './removal.ts';
import { findUser, localTime, select, selectOne, update, writeLog, type Row, type Site, type UserRef } from './site.ts';

/** What an administrator may change beyond the profile. */
export interface AdminEdit extends Profile {
  email?: string;
  userName?: string;
  /** Set a new password. */
  newPassword?: boolean;
  enabled?: boolean;
  active?: boolean;
}

/** An administrator adds a user: active at once, with what the guest of that e-mail left. Gives the id. */
export const createUser = async (site: Site, form: Registration): Promise<number> => addUser(site, form, 'admin');

/**
 * An administrator saves the user form with these fields changed: profile, e-mail, user name, `b_enabled`, `b_active`,
 * perhaps the password; name and e-mail are copied to items, comments and alerts. Items stay as visible as they were.
 */
export const editUser = async (site: Site, user: UserRef, changes: AdminEdit): Promise<void> => {
  const before = await findUser(site, user);
  const id = Number(before.pk_i_id);
  const email = changes.email ?? String(before.s_email);
  const other = await selectOne(site, 'SELECT pk_i_id FROM {user} WHERE s_email = ? AND pk_i_id <> ?', [email, id]);
  if (other !== undefined) throw new Error(`Osclass refuses: ${email} is already in use`);
  const form = { ...profileOf(before), ...changes };
  const name = form.name ?? '';
  await update(
    site,
    'user',
    {
      dt_mod_date: localTime(site),
      s_email: email,
      ...(changes.newPassword === true && { s_password: makeBcrypt(site.random) }),
      s_username: changes.userName ?? String(before.s_username),
      ...(await profileColumns(site, form)),
    },
    'pk_i_id',
    id,
  );
  await update(site, 'item', { s_contact_name: name, s_contact_email: email }, 'fk_i_user_id', id);
  await update(site, 'item_comment', { s_author_name: name, s_author_email: email }, 'fk_i_user_id', id);
  await update(site, 'alerts', { s_email: email }, 'fk_i_user_id', id);
  await writeLog(site, ['user', 'edit'], id, email, 'admin');
  if (changes.info !== undefined) await writeDescriptions(site, id, changes.info);
  await update(site, 'user', { b_enabled: (changes.enabled ?? before.b_enabled === 1) ? 1 : 0 }, 'pk_i_id', id);
  await update(site, 'user', { b_active: (changes.active ?? before.b_active === 1) ? 1 : 0 }, 'pk_i_id', id);
};

/** Sets one of the two flags, logs it, and does the same to every item of a user whose other flag is 1. */
const setStatus = async (
  site: Site,
  user: UserRef,
  [flag, other]: readonly ['b_active', 'b_enabled'] | readonly ['b_enabled', 'b_active'],
  on: boolean,
  action: string,
): Promise<Row> => {
  const row = await findUser(site, user);
  const id = Number(row.pk_i_id);
  await update(site, 'user', { [flag]: on ? 1 : 0 }, 'pk_i_id', id);
  await writeLog(site, ['user', action], id, String(row.s_email), 'admin');
  if (row[other] === 1) {
    for (const item of await select(site, 'SELECT pk_i_id FROM {item} WHERE fk_i_user_id = ?', [id])) {
      await setItemEnabled(site, Number(item.pk_i_id), on);
    }
  }
  return row;
};

/** `b_active` 1; all items of a user who is not blocked are enabled; a guest's items and alerts are taken over. */
export const activate = async (site: Site, user: UserRef): Promise<void> => {
  const row = await setStatus(site, user, ['b_active', 'b_enabled'], true, 'activate');
  await adoptGuest(site, Number(row.pk_i_id), String(row.s_name), String(row.s_email));
};

/** `b_active` 0, and the items of a user who is not blocked are disabled. */
export const deactivate = async (site: Site, user: UserRef): Promise<void> => {
  await setStatus(site, user, ['b_active', 'b_enabled'], false, 'deactivate');
};

/** `b_enabled` 0, and the items of an active user are disabled. */
export const block = async (site: Site, user: UserRef): Promise<void> => {
  await setStatus(site, user, ['b_enabled', 'b_active'], false, 'disable');
};

/** `b_enabled` 1, and all items of an active user are enabled, also those a moderator had disabled. */
export const unblock = async (site: Site, user: UserRef): Promise<void> => {
  await setStatus(site, user, ['b_enabled', 'b_active'], true, 'enable');
};

/** An administrator deletes a user, with everything that hangs on it. Gives the paths of image files that go too. */
export const deleteUser = async (site: Site, user: UserRef): Promise<string[]> => {
  const row = await findUser(site, user);
  await writeLog(site, ['user', 'delete'], Number(row.pk_i_id), String(row.s_email), 'admin');
  return removeUser(site, Number(row.pk_i_id));
};
