/** The PHP plugin as it lies in the database of a simulated site: its preferences and its tables. */
import type { TestDatabase } from './database.ts';

/** A row of `t_asc_account`. */
export interface AccountRow {
  readonly name: string;
  readonly url: string;
  readonly key: string;
  readonly columns?: string;
  readonly lastUserId?: number | null;
}

/** What differs from a fresh installation. */
export interface InstalledOptions {
  readonly active?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
  readonly accounts?: readonly AccountRow[];
}

/** Its columns as an administrator finds them ticked. */
export const DEFAULT_LIST =
  'dt_reg_date,dt_mod_date,s_name,s_username,user_description,s_password,s_secret,s_email,s_website,s_phone_land,' +
  's_phone_mobile,b_enabled,b_active,s_country,s_address,s_zip,s_region,s_city,s_city_area,d_coord_lat,d_coord_long,' +
  'b_company,i_items,i_comments,dt_access_date,s_access_ip,s_profile_img';

/** Puts it there; the site's prefix is `oc_`. */
export async function installPlugin(database: TestDatabase, options: InstalledOptions = {}): Promise<void> {
  const { active = true, settings = {}, accounts = [] } = options;
  await database.query(`CREATE TABLE oc_t_asc_account (
    pk_i_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, s_name VARCHAR(100), s_url VARCHAR(500), s_key VARCHAR(200),
    s_columns TEXT, i_last_user_id INT, i_synced_from INT, i_synced_to INT, s_status VARCHAR(20), s_message TEXT,
    dt_last_sync DATETIME)`);
  await database.query(`CREATE TABLE oc_t_asc_log (
    pk_i_id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, fk_i_account_id INT, s_type VARCHAR(20), s_response TEXT)`);
  const all = { apikey: '', custom_columns: '', feed_limit: '200', users_to_stream: '', users_to_stream_removed: '' };
  for (const [name, value] of Object.entries({ ...all, ...settings })) {
    await preference(database, 'plugin-account_sync', name, value);
  }
  await setActive(database, active);
  for (const { name, url, key, columns = DEFAULT_LIST, lastUserId = 0 } of accounts) {
    await database.query(
      'INSERT INTO oc_t_asc_account (s_name, s_url, s_key, s_columns, i_last_user_id) VALUES (?, ?, ?, ?, ?)',
      [name, url, key, columns, lastUserId],
    );
  }
}

/** What the administrator's button does: the list of active plugins is in PHP's own format. */
export async function setActive(database: TestDatabase, active: boolean): Promise<void> {
  const files = ['google_maps/index.php', ...(active ? ['account_sync/index.php'] : [])];
  const list = files.map((file, index) => `i:${index};s:${file.length}:"${file}";`).join('');
  await preference(database, 'osclass', 'active_plugins', `a:${files.length}:{${list}}`);
}

async function preference(database: TestDatabase, section: string, name: string, value: string): Promise<void> {
  await database.query('REPLACE INTO oc_t_preference (s_section, s_name, s_value, e_type) VALUES (?, ?, ?, ?)', [
    section,
    name,
    value,
    'STRING',
  ]);
}
