import { makeSecret } from './random.ts';
import { findUser, localTime, selectOne, update, write, type Site, type UserRef } from './site.ts';

/**
 * A person asks for another e-mail: it waits in `t_user_email_tmp`, and the code for the link is in the user's row.
 * Gives the code. Throws if a user has that address.
 */
export const requestEmailChange = async (site: Site, user: UserRef, newEmail: string): Promise<string> => {
  const { pk_i_id } = await findUser(site, user);
  const taken = await selectOne(site, 'SELECT pk_i_id FROM {user} WHERE s_email = ?', [newEmail]);
  if (taken !== undefined) throw new Error(`Osclass refuses: ${newEmail} is already in use`);
  const now = localTime(site);
  const changed = await update(
    site,
    'user_email_tmp',
    { s_new_email: newEmail, dt_date: now },
    'fk_i_user_id',
    pk_i_id ?? 0,
  );
  if (changed === 0) {
    await write(site, 'INSERT IGNORE INTO {user_email_tmp} SET ?', [
      { fk_i_user_id: pk_i_id, s_new_email: newEmail, dt_date: now },
    ]);
  }
  const code = makeSecret(site.random, 30);
  await update(site, 'user', { s_pass_code: code, s_pass_date: now, s_pass_ip: '127.0.0.1' }, 'pk_i_id', pk_i_id ?? 0);
  return code;
};

/**
 * The link to the new address: `s_email`, then the copies in items, comments and alerts; nothing waits any more.
 * `code` is taken from the row unless given. Throws if it is wrong or nothing waits.
 */
export const confirmEmailChange = async (site: Site, user: UserRef, code?: string): Promise<void> => {
  const row = await findUser(site, user);
  const id = Number(row.pk_i_id);
  const waiting = await selectOne(site, 'SELECT s_new_email FROM {user_email_tmp} WHERE fk_i_user_id = ?', [id]);
  if (waiting === undefined || row.b_enabled !== 1 || (code !== undefined && code !== row.s_pass_code)) {
    throw new Error('Osclass refuses: the link is not valid');
  }
  const email = waiting.s_new_email ?? '';
  await update(site, 'user', { s_email: email }, 'pk_i_id', id);
  await update(site, 'item', { s_contact_email: email }, 'fk_i_user_id', id);
  await update(site, 'item_comment', { s_author_email: email }, 'fk_i_user_id', id);
  await update(site, 'alerts', { s_email: email }, 'fk_i_user_id', id);
  await write(site, 'DELETE FROM {user_email_tmp} WHERE s_new_email = ?', [email]);
};

/** Both steps at once. */
export const changeEmail = async (site: Site, user: UserRef, newEmail: string): Promise<void> => {
  const id = Number((await findUser(site, user)).pk_i_id);
  await confirmEmailChange(site, id, await requestEmailChange(site, id, newEmail));
};
