import { IANAZone, type Zone } from 'luxon';
import type { Connection } from 'mysql2/promise';
import { select, type Row, type Value } from './site.ts';

/** A user as another site may see it: value by column, `user_description.LOCALE` for descriptions. */
type UserView = Map<string, string | null>;

/** All users of a site in comparable form. */
export interface SiteView {
  /** By e-mail, trimmed and in lower case. */
  users: Map<string, UserView>;
  columns: ReadonlySet<string>;
  locales: ReadonlySet<string>;
}

/** How to read a site. */
export interface ReadOptions {
  prefix?: string;
  /** Columns of plugins to compare too, or `s_secret`, `s_profile_img`. */
  custom?: readonly string[];
}

/** Never travel, or mean something on one site only. */
const LOCAL = new Set(
  `pk_i_id i_items i_comments dt_access_date s_access_ip i_login_fails dt_login_fail_date s_pass_code s_pass_date
   s_pass_ip fk_i_region_id fk_i_city_id fk_i_city_area_id s_secret s_profile_img`.split(/\s+/),
);

/** Columns of Osclass itself that travel unless a config says otherwise. */
const TRAVELLING = new Set(
  `dt_reg_date dt_mod_date s_name s_username s_password s_email s_website s_phone_land s_phone_mobile b_enabled b_active
   fk_c_country_code s_country s_country_native s_address s_zip s_region s_region_native s_city s_city_native s_city_area
   d_coord_lat d_coord_long b_company fk_c_locale_code`.split(/\s+/),
);

/** Places by slug, as ids differ between sites; compared only where both sites know the place. */
const PLACE_KEYS = ['region', 'city'] as const;
const PLACES_COMPARED: readonly string[] = PLACE_KEYS.map((place) => `${place} (place)`);

/** A DATETIME of the site's zone as UTC; what is no date (zero dates) stays as it is. */
const asUtc = (value: string, zone: Zone): string => {
  const local = Date.parse(`${value.replace(' ', 'T')}Z`);
  if (Number.isNaN(local)) return value;
  const near = local - zone.offset(local) * 60_000;
  return new Date(local - zone.offset(near) * 60_000).toISOString();
};

const comparable = (column: string, value: Value | undefined, zone: Zone): string | null => {
  if (value === null || value === undefined) return null;
  if (column.startsWith('dt_')) return asUtc(String(value), zone);
  // decimal(10,6) and decimal(20,10) hold the same place
  if (column.startsWith('d_coord_')) return Number(value).toFixed(6);
  return String(value);
};

/** Reads every user; no other session is disturbed. */
export const readUsers = async (connection: Connection, options: ReadOptions = {}): Promise<SiteView> => {
  const site = { db: connection, prefix: options.prefix ?? 'oc_' };
  const [preference] = await select(
    site,
    "SELECT s_value FROM {preference} WHERE s_section = 'osclass' AND s_name = 'timezone'",
  );
  const zone = IANAZone.create(String(preference?.s_value ?? 'UTC'));
  const custom = new Set(options.custom);
  const stored = await select(
    site,
    `SELECT COLUMN_NAME AS name FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
    [`${site.prefix}t_user`],
  );
  const columns = new Set(
    stored
      .map(({ name }) => String(name))
      .filter((name) => custom.has(name) || (TRAVELLING.has(name) && !LOCAL.has(name))),
  );
  const locales = new Set((await select(site, 'SELECT pk_c_code FROM {locale}')).map((row) => String(row.pk_c_code)));

  const byId = new Map<Value, UserView>();
  const users = new Map<string, UserView>();
  const rows = await select(
    site,
    `SELECT u.*, r.s_slug AS slug_region, c.s_slug AS slug_city FROM {user} u
       LEFT JOIN {region} r ON r.pk_i_id = u.fk_i_region_id LEFT JOIN {city} c ON c.pk_i_id = u.fk_i_city_id`,
  );
  for (const row of rows) {
    const view: UserView = new Map([...columns].map((name) => [name, comparable(name, row[name], zone)]));
    // a user name that is only the own id says nothing elsewhere
    if (row.s_username === String(row.pk_i_id)) view.set('s_username', null);
    for (const place of PLACE_KEYS) view.set(`${place} (place)`, slug(row, place));
    byId.set(row.pk_i_id ?? null, view);
    users.set(String(row.s_email).trim().toLowerCase(), view);
  }
  for (const row of await select(site, 'SELECT * FROM {user_description}')) {
    byId
      .get(row.fk_i_user_id ?? null)
      ?.set(`user_description.${row.fk_c_locale_code}`, comparable('', row.s_info, zone));
  }
  return { users, columns, locales };
};

const slug = (row: Row, place: (typeof PLACE_KEYS)[number]): string | null => {
  const value = row[`slug_${place}`];
  return typeof value === 'string' ? value : null;
};

/** One column of one user that sites do not agree on. */
export interface Difference {
  email: string;
  /** A column, `user_description.LOCALE`, `region (place)`, or `user` where a site lacks the whole user. */
  column: string;
  /** What each site has; for `user`: `present` or `absent`. */
  values: Record<string, string | null>;
}

/** A site with its view, or with what is needed to read it. */
export interface ComparedSite extends ReadOptions {
  name: string;
  connection?: Connection;
  view?: SiteView;
}

const shared = (sets: readonly ReadonlySet<string>[]): string[] =>
  [...(sets[0] ?? [])].filter((member) => sets.every((set) => set.has(member)));

/** What {@link compareSites} compares of these sites: columns and locales that all of them have, and places. */
export const comparedColumns = (views: readonly SiteView[]): string[] => [
  ...shared(views.map((view) => view.columns)),
  ...shared(views.map((view) => view.locales)).map((locale) => `user_description.${locale}`),
  ...PLACES_COMPARED,
];

/**
 * What differs between two or more sites: users that are not everywhere, and values, in columns and locales that all of
 * them have. A description that is missing counts as NULL. Empty when they are equal.
 */
export const compareSites = async (sites: readonly ComparedSite[]): Promise<Difference[]> => {
  const views = new Map<string, SiteView>();
  for (const site of sites) {
    const view = site.view ?? (site.connection && (await readUsers(site.connection, site)));
    if (view === undefined) throw new Error(`site ${site.name} has neither connection nor view`);
    views.set(site.name, view);
  }
  const all = [...views.values()];
  const columns = comparedColumns(all);
  const emails = [...new Set(all.flatMap((view) => [...view.users.keys()]))].toSorted();
  const differences: Difference[] = [];
  for (const email of emails) {
    const found = new Map([...views].map(([name, view]) => [name, view.users.get(email)]));
    if ([...found.values()].includes(undefined)) {
      const values = Object.fromEntries([...found].map(([name, user]) => [name, user ? 'present' : 'absent']));
      differences.push({ email, column: 'user', values });
      continue;
    }
    for (const column of columns) {
      const entries = [...found].map(([name, user]): [string, string | null] => [name, user?.get(column) ?? null]);
      const values = new Set(
        entries.map(([, value]) => value).filter((value) => value !== null || !PLACES_COMPARED.includes(column)),
      );
      if (values.size > 1) differences.push({ email, column, values: Object.fromEntries(entries) });
    }
  }
  return differences;
};
