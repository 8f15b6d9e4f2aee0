/** How the PHP plugin stores a row that came, and which rows it gives. Section 6 of the description of its protocol. */
import { isBareNumber, type Fields } from './form.ts';
import type { Host } from '../osclass/host.ts';
import type { Row } from '../osclass/site.ts';

/** Its columns as an administrator finds them ticked. */
export const DEFAULT_COLUMNS =
  'dt_reg_date dt_mod_date s_name s_username user_description s_password s_secret s_email s_website s_phone_land s_phone_mobile b_enabled b_active s_country s_address s_zip s_region s_city s_city_area d_coord_lat d_coord_long b_company i_items i_comments dt_access_date s_access_ip s_profile_img'.split(
    ' ',
  );

/** A row as it came: by name, NULL or absent means "leave it alone". */
export type ForeignRow = Readonly<Record<string, unknown>>;

/** Updates who has the address, by the database's own idea of what is equal, or inserts somebody. Returns false if SQL failed. */
export const storeRow = async (host: Host, columns: readonly string[], row: ForeignRow): Promise<boolean> => {
  const known = await host.user(String(row['s_email']));
  const given = columns.filter((name) => name !== 'user_description' && typeof row[name] === 'string');
  const values = given.map((name) => String(row[name]));
  const assignments = given.map((name, at) => `${name} = ${isBareNumber(values[at] ?? '') ? values[at] : '?'}`);
  const bound = values.filter((value) => !isBareNumber(value));
  try {
    let id = Number(known?.pk_i_id ?? 0);
    if (known === undefined) id = (await host.write(`INSERT INTO {user} SET ${assignments.join(', ')}`, bound)).id;
    else await host.write(`UPDATE {user} SET ${assignments.join(', ')} WHERE pk_i_id = ${id}`, bound);
    await storeDescriptions(host, id, row['user_description']);
    return true;
  } catch {
    return false;
  }
};

const storeDescriptions = async (host: Host, id: number, texts: unknown): Promise<void> => {
  for (const entry of Object.values((texts ?? {}) as Record<string, Fields>)) {
    const { fk_c_locale_code: locale, s_info: text } = entry;
    if (typeof locale !== 'string' || typeof text !== 'string' || text.trim() === '') continue;
    if (!host.site.locales.includes(locale)) continue;
    await host.write('REPLACE INTO {user_description} (fk_i_user_id, fk_c_locale_code, s_info) VALUES (?, ?, ?)', [
      id,
      locale,
      text,
    ]);
  }
};

/** The whole row of a user with its descriptions; undefined if it is gone. Scalars as text. */
export const readRow = async (host: Host, id: number): Promise<ForeignRow | undefined> => {
  const row = await host.user(id);
  return row === undefined ? undefined : await withDescriptions(host, row);
};

/** The next users that are enabled and active, by id. */
export const readPage = async (host: Host, after: number, limit: number): Promise<ForeignRow[]> => {
  const rows = await host.select(
    `SELECT * FROM {user} WHERE pk_i_id > ? AND b_enabled = 1 AND b_active = 1 ORDER BY pk_i_id LIMIT ${limit}`,
    [after],
  );
  return await Promise.all(rows.map((row) => withDescriptions(host, row)));
};

/** How many users are enabled and active, above an id. */
export const countAfter = async (host: Host, after: number): Promise<number> =>
  Number(
    (
      await host.select('SELECT COUNT(*) AS n FROM {user} WHERE pk_i_id > ? AND b_enabled = 1 AND b_active = 1', [
        after,
      ])
    )[0]?.n,
  );

const withDescriptions = async (host: Host, row: Row): Promise<ForeignRow> => {
  const texts = await host.select("SELECT * FROM {user_description} WHERE fk_i_user_id = ? AND TRIM(s_info) <> ''", [
    row.pk_i_id,
  ]);
  return { ...asText(row), user_description: texts.map(asText), user_business_profile: [] };
};

const asText = (row: Row): Record<string, string | null> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value === null ? null : String(value)]));
