import { makeBcrypt, makeSecret } from './random.ts';
import { findUser, localTime, update, userId, type Site, type UserRef } from './site.ts';

/** A new password, chosen while logged in: `s_password` only. Gives the new hash. */
export const changePassword = async (site: Site, user: UserRef): Promise<string> => {
  const hash = makeBcrypt(site.random);
  await update(site, 'user', { s_password: hash }, 'pk_i_id', await userId(site, user));
  return hash;
};

/** "Forgot your password?": code, time and address of the request. Gives the code that goes out by mail. */
export const requestPasswordReset = async (site: Site, user: UserRef, ip = '127.0.0.1'): Promise<string> => {
  const code = makeSecret(site.random, 30);
  await update(
    site,
    'user',
    { s_pass_code: code, s_pass_date: localTime(site), s_pass_ip: ip },
    'pk_i_id',
    await userId(site, user),
  );
  return code;
};

/** The link in that mail: a new password; the code is made useless. Gives the new hash. Throws if the code is wrong. */
export const resetPassword = async (site: Site, user: UserRef, code: string, ip = '127.0.0.1'): Promise<string> => {
  const row = await findUser(site, user);
  if (row.s_pass_code !== code || row.b_enabled !== 1) throw new Error('Osclass refuses: the link is not valid');
  const hash = makeBcrypt(site.random);
  await update(
    site,
    'user',
    {
      s_pass_code: makeSecret(site.random, 50),
      s_pass_date: localTime({ ...site, clock: () => 0 }),
      s_pass_ip: ip,
      s_password: hash,
    },
    'pk_i_id',
    Number(row.pk_i_id),
  );
  return hash;
};

/**
 * Log in while the stored hash is of an old kind, or of another cost than this site's: Osclass hashes the same password
 * again. Nothing is written if the hash already has this cost. Gives the hash now stored.
 */
export const loginRehash = async (site: Site, user: UserRef, cost = 10): Promise<string> => {
  const row = await findUser(site, user);
  const known = /^\$2y\$(\d\d)\$/.exec(String(row.s_password));
  if (known !== null && Number(known[1]) === cost) return String(row.s_password);
  const hash = makeBcrypt(site.random, cost);
  await update(site, 'user', { s_password: hash }, 'pk_i_id', Number(row.pk_i_id));
  return hash;
};
