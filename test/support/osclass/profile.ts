import { FLAVOURS } from './flavour.ts';
import { select, selectOne, write, type Row, type Site } from './site.ts';

/** What the profile form holds. Places are names; one that the site knows is stored with its id, another only as text. */
export interface Profile {
  name?: string;
  website?: string;
  phoneLand?: string;
  phoneMobile?: string;
  /** Country code. */
  country?: string;
  region?: string;
  city?: string;
  cityArea?: string;
  address?: string;
  zip?: string;
  /** Decimal text, '' for none. */
  latitude?: string;
  longitude?: string;
  company?: boolean;
  /** Description by locale code. */
  info?: Record<string, string>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The form as it comes up for a stored user: NULL and '' look the same in it. */
export const profileOf = (row: Row): Profile => ({
  name: text(row.s_name),
  website: text(row.s_website),
  phoneLand: text(row.s_phone_land),
  phoneMobile: text(row.s_phone_mobile),
  country: text(row.fk_c_country_code) || text(row.s_country),
  region: text(row.s_region),
  city: text(row.s_city),
  cityArea: text(row.s_city_area),
  address: text(row.s_address),
  zip: text(row.s_zip),
  latitude: text(row.d_coord_lat),
  longitude: text(row.d_coord_long),
  company: row.b_company === 1,
});

/**
 * The place columns for names typed or chosen: ids where the site knows the place within its parent.
 * The area is text only, as Osclass has no choice of areas in this form.
 */
export const placeColumns = async (site: Site, profile: Profile): Promise<Row> => {
  const { modern } = FLAVOURS[site.flavour];
  const country = await selectOne(site, 'SELECT * FROM {country} WHERE pk_c_code = ?', [profile.country ?? '']);
  const region = await selectOne(site, 'SELECT * FROM {region} WHERE fk_c_country_code = ? AND s_name = ?', [
    country?.pk_c_code ?? '',
    profile.region ?? '',
  ]);
  const city = await selectOne(site, 'SELECT * FROM {city} WHERE fk_i_region_id = ? AND s_name = ?', [
    region?.pk_i_id ?? 0,
    profile.city ?? '',
  ]);
  return {
    fk_c_country_code: country?.pk_c_code ?? null,
    s_country: country?.s_name ?? profile.country ?? '',
    fk_i_region_id: region?.pk_i_id ?? null,
    s_region: region?.s_name ?? profile.region ?? '',
    fk_i_city_id: city?.pk_i_id ?? null,
    s_city: city?.s_name ?? profile.city ?? '',
    s_city_area: profile.cityArea ?? '',
    s_address: profile.address ?? '',
    s_zip: profile.zip ?? '',
    d_coord_lat: profile.latitude || null,
    d_coord_long: profile.longitude || null,
    ...(modern && {
      s_country_native: country?.s_name_native ?? null,
      s_region_native: region?.s_name_native ?? null,
      s_city_native: city?.s_name_native ?? null,
    }),
  };
};

/** Every column that the profile form writes, also those a person left alone: what is empty becomes ''. */
export const profileColumns = async (site: Site, profile: Profile): Promise<Row> => ({
  s_name: profile.name ?? '',
  s_website: profile.website ?? '',
  s_phone_land: profile.phoneLand ?? '',
  s_phone_mobile: profile.phoneMobile ?? '',
  ...(await placeColumns(site, profile)),
  b_company: profile.company === true ? 1 : 0,
});

/** Stores descriptions, each in its locale: updated where there is one, else inserted. */
export const writeDescriptions = async (site: Site, id: number, info: Record<string, string>): Promise<void> => {
  for (const [locale, value] of Object.entries(info)) {
    const known = await select(
      site,
      'SELECT 1 FROM {user_description} WHERE fk_i_user_id = ? AND fk_c_locale_code = ?',
      [id, locale],
    );
    await (known.length > 0
      ? write(site, 'UPDATE {user_description} SET s_info = ? WHERE fk_i_user_id = ? AND fk_c_locale_code = ?', [
          value,
          id,
          locale,
        ])
      : write(site, 'INSERT INTO {user_description} SET ?', [
          { fk_i_user_id: id, fk_c_locale_code: locale, s_info: value },
        ]));
  }
};

/** The descriptions a user has, by locale. */
export const readDescriptions = async (site: Site, id: number): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await select(site, 'SELECT fk_c_locale_code, s_info FROM {user_description} WHERE fk_i_user_id = ?', [id])).map(
      (row) => [String(row.fk_c_locale_code), text(row.s_info)],
    ),
  );
