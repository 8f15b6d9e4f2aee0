import { FLAVOURS } from './flavour.ts';
import { profileColumns, profileOf, readDescriptions, writeDescriptions, type Profile } from './profile.ts';
import { makeBcrypt, makeSecret } from './random.ts';
import { removeUser } from './removal.ts';
import {
  findUser,
  insert,
  localTime,
  selectOne,
  update,
  userId,
  write,
  writeLog,
  type Site,
  type UserRef,
} from './site.ts';

/** What the registration form holds, and how the site is set up. */
export interface Registration extends Profile {
  email: string;
  name: string;
  /** Empty: the id becomes the user name. */
  userName?: string;
  /** The site asks for a click on a link before the account is active; so by default. */
  validation?: boolean;
  ip?: string;
}

/**
 * Osclass's "add user", by the person or by an administrator: the row without a user name, then the id as user name if
 * none was chosen, descriptions, the log, and for an account that is active at once the guest's items and alerts.
 */
export const addUser = async (site: Site, form: Registration, who: 'user' | 'admin'): Promise<number> => {
  const taken = await selectOne(site, 'SELECT pk_i_id FROM {user} WHERE s_email = ?', [form.email]);
  if (taken !== undefined) throw new Error(`Osclass refuses: ${form.email} is already in use`);
  const now = localTime(site);
  const id = await insert(site, 'user', {
    dt_reg_date: now,
    dt_mod_date: now,
    dt_access_date: now,
    s_secret: makeSecret(site.random),
    s_access_ip: form.ip ?? '127.0.0.1',
    s_email: form.email,
    s_password: makeBcrypt(site.random),
    s_username: form.userName ?? '',
    ...(await profileColumns(site, form)),
    ...(FLAVOURS[site.flavour].modern && { fk_c_locale_code: site.locales[0] ?? null }),
  });
  if ((form.userName ?? '') === '') await update(site, 'user', { s_username: String(id) }, 'pk_i_id', id);
  if (form.info !== undefined) await writeDescriptions(site, id, form.info);
  await writeLog(site, ['user', who === 'admin' ? 'add' : 'register'], id, form.email, who, id);
  if (who === 'admin' || form.validation === false) {
    await update(site, 'user', { b_active: 1 }, 'pk_i_id', id);
    await adoptGuest(site, id, form.name, form.email);
  }
  return id;
};

/** What a guest left under an e-mail becomes the user's; every item taken over counts, visible or not, as in Osclass. */
export const adoptGuest = async (site: Site, id: number, name: string, email: string): Promise<void> => {
  const adopted = await update(site, 'item', { fk_i_user_id: id, s_contact_name: name }, 's_contact_email', email);
  if (adopted > 0) await write(site, 'UPDATE {user} SET i_items = i_items + ? WHERE pk_i_id = ?', [adopted, id]);
  await update(site, 'alerts', { fk_i_user_id: id }, 's_email', email);
};

/** A person fills in the registration form. Gives the id. Throws, as the form says no, if the e-mail is taken. */
export const register = async (site: Site, form: Registration): Promise<number> => addUser(site, form, 'user');

/** The link in the welcome mail: `b_active` 1. */
export const clickValidationLink = async (site: Site, user: UserRef): Promise<void> => {
  const { pk_i_id, s_secret } = await findUser(site, user);
  await write(site, 'UPDATE {user} SET b_active = 1 WHERE pk_i_id = ? AND s_secret = ?', [pk_i_id, s_secret]);
};

/**
 * The profile form, saved with these fields changed. As in Osclass all of its columns are written, NULL becoming '', with
 * `dt_mod_date`; one description for each locale of the site; the name is copied to items and comments.
 */
export const editProfile = async (site: Site, user: UserRef, changes: Profile): Promise<void> => {
  const before = await findUser(site, user);
  const id = Number(before.pk_i_id);
  const form = { ...profileOf(before), ...changes };
  await update(site, 'user', { dt_mod_date: localTime(site), ...(await profileColumns(site, form)) }, 'pk_i_id', id);
  await update(site, 'item', { s_contact_name: form.name ?? '' }, 'fk_i_user_id', id);
  await update(site, 'item_comment', { s_author_name: form.name ?? '' }, 'fk_i_user_id', id);
  await writeLog(site, ['user', 'edit'], id, String(before.s_email), 'user', id);
  const empty = Object.fromEntries(site.locales.map((locale) => [locale, '']));
  await writeDescriptions(site, id, { ...empty, ...(await readDescriptions(site, id)), ...changes.info });
};

/** A user name of the person's own choice. Throws if another user has it. */
export const changeUserName = async (site: Site, user: UserRef, userName: string): Promise<void> => {
  const taken = await selectOne(site, 'SELECT pk_i_id FROM {user} WHERE s_username = ?', [userName]);
  if (taken !== undefined) throw new Error(`Osclass refuses: the user name ${userName} is taken`);
  await update(site, 'user', { s_username: userName }, 'pk_i_id', await userId(site, user));
};

/** Log in with "remember me": a new `s_secret`. */
export const loginRemembered = async (site: Site, user: UserRef): Promise<void> => {
  await update(site, 'user', { s_secret: makeSecret(site.random) }, 'pk_i_id', await userId(site, user));
};

/** Any page, logged in: `dt_access_date` and `s_access_ip`. (Osclass writes this at most once an hour per user.) */
export const viewPage = async (site: Site, user: UserRef, ip = '127.0.0.1'): Promise<void> => {
  await update(site, 'user', { dt_access_date: localTime(site), s_access_ip: ip }, 'pk_i_id', await userId(site, user));
};

/** A person deletes the own account, with everything that hangs on it. Gives the paths of image files that go too. */
export const deleteAccount = async (site: Site, user: UserRef): Promise<string[]> =>
  removeUser(site, await userId(site, user));
