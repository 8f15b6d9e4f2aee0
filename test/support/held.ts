/** What waits for a day to come: it was done where an account came over to its owner (docs/security.md). */
import type { WorldSite } from './world.ts';

/** True of its row among the parked records; SQL. */
export const IS_HELD = "message LIKE '% waits until %'";

/** Addresses of the accounts of a site of which something waits so, and those that are said there. */
export async function heldOn({ db }: Pick<WorldSite, 'db'>): Promise<string[]> {
  const accounts = await db.query<{ email: string }>(
    `SELECT s_email AS email FROM oc_account_sync_parked p JOIN oc_account_sync_uid x ON x.uid = p.uid
     JOIN oc_t_user u ON u.pk_i_id = x.user_id WHERE ${IS_HELD}`,
  );
  const records = await db.query<{ record: Buffer }>(`SELECT record FROM oc_account_sync_parked WHERE ${IS_HELD}`);
  const said = records.map(({ record }) => (JSON.parse(record.toString('utf8')) as { email?: string }).email ?? '');
  return [...accounts.map(({ email }) => email), ...said];
}
