import { FLAVOURS } from './flavour.ts';
import type { Person } from './people.ts';
import { makeBcrypt, makeRandom, makeSecret, makeSha1, type Random } from './random.ts';
import { select, type Row, type Site, type Value } from './site.ts';

/** The site's places, read once. */
export interface Atlas {
  countries: Row[];
  cities: Row[];
  areas: Map<Value, Row[]>;
}

/** Reads what {@link makeUserRow} chooses addresses from. */
export const readAtlas = async (site: Site): Promise<Atlas> => {
  const areas = new Map<Value, Row[]>();
  for (const area of await select(site, 'SELECT * FROM {city_area} ORDER BY fk_i_city_id, s_name')) {
    const city = area.fk_i_city_id ?? null;
    areas.set(city, [...(areas.get(city) ?? []), area]);
  }
  const native = FLAVOURS[site.flavour].modern ? 'c.s_name_native' : 'NULL';
  const natives = FLAVOURS[site.flavour].modern
    ? ', c.s_name_native AS city_native, r.s_name_native AS region_native'
    : '';
  return {
    countries: await select(
      site,
      `SELECT c.pk_c_code AS code, c.s_name AS country, ${native} AS country_native FROM {country} c ORDER BY 1`,
    ),
    cities: await select(
      site,
      `SELECT c.pk_i_id AS id, c.s_name AS city, r.pk_i_id AS region_id, r.s_name AS region, r.fk_c_country_code AS code
              ${natives}
         FROM {city} c JOIN {region} r ON r.pk_i_id = c.fk_i_region_id ORDER BY code, region, city`,
    ),
    areas,
  };
};

const two = (n: number): string => String(n).padStart(2, '0');

/**
 * A time of day in a month in which no zone changes its clocks, so that every zone can say it: of 2009 – 2024, after
 * `after` if given.
 */
const makeDate = (random: Random, after = '2009-01-01'): string => {
  const first = Number(after.slice(0, 4)) + 1;
  const year = first + random.int(Math.max(1, 2025 - first));
  const time = `${two(random.int(24))}:${two(random.int(60))}:${two(random.int(60))}`;
  return `${year}-${random.pick(['01', '02', '05', '06', '07', '08', '12'])}-${two(1 + random.int(28))} ${time}`;
};

const blank = (random: Random): string | null => (random.chance(0.5) ? null : '');

/** Nothing, an empty field, or a value: the three ways in which a form field may have been left. */
const perhaps = (random: Random, share: number, make: () => string): string | null => {
  if (random.chance(share)) return make();
  return blank(random);
};

const addressOf = (random: Random, atlas: Atlas, modern: boolean): Row => {
  const city = random.chance(0.6) && atlas.cities.length > 0 ? random.pick(atlas.cities) : undefined;
  const country =
    city !== undefined
      ? atlas.countries.find(({ code }) => code === city.code)
      : random.chance(0.4) && atlas.countries.length > 0
        ? random.pick(atlas.countries)
        : undefined;
  const typed = city === undefined && random.chance(0.2);
  const areas = atlas.areas.get(city?.id ?? null) ?? [];
  const area = areas.length > 0 && random.chance(0.5) ? random.pick(areas) : undefined;
  const located = city !== undefined && random.chance(0.3);
  const degrees = (range: number): string => ((random.next() * 2 - 1) * range).toFixed(6);
  return {
    fk_c_country_code: country?.code ?? null,
    s_country: country?.country ?? (typed ? 'Atlantis' : null),
    s_address: perhaps(
      random,
      0.5,
      () => `${random.pick(['Calle Mayor', 'Hauptstraße', 'Rue Victor Hugo'])} ${random.int(200) + 1}`,
    ),
    s_zip: perhaps(random, 0.5, () => random.text('0123456789', 5)),
    fk_i_region_id: city?.region_id ?? null,
    s_region: city?.region ?? (typed ? 'Ultima Thule' : null),
    fk_i_city_id: city?.id ?? null,
    s_city: city?.city ?? (typed ? 'Bielefeld-Süd' : blank(random)),
    fk_i_city_area_id: area?.pk_i_id ?? null,
    s_city_area: area?.s_name ?? null,
    d_coord_lat: located ? degrees(90) : null,
    d_coord_long: located ? degrees(180) : null,
    ...(modern && {
      s_country_native: country?.country_native ?? null,
      s_region_native: city?.region_native ?? null,
      s_city_native: city?.city_native ?? null,
    }),
  };
};

const INFO = [
  'Buyer & seller since 2012.\nI answer within a day.',
  '¡Hola! Vendo muebles y libros — envío a toda España.',
  'It\'s "as new" \\ or money back; 100 % <b>safe</b>',
  'Grüße aus München, schöne Dinge für wenig Geld €',
];

/** One user and the descriptions, as rows; the same for the same `random`. */
export const makeUserRow = (from: {
  id: number;
  person: Person;
  random: Random;
  atlas: Atlas;
  site: Site;
  allActive: boolean;
}): { user: Row; descriptions: Row[] } => {
  const { id, person, random, atlas, site, allActive } = from;
  const { modern, accessDateDefault } = FLAVOURS[site.flavour];
  const registered = makeDate(random);
  const phone = (): string => `+${random.int(89) + 10} ${random.text('0123456789', 3)} ${random.text('0123456789', 6)}`;
  const infoSeed = random.int(1e9);
  const reset = random.chance(0.03);
  const user: Row = {
    pk_i_id: id,
    dt_reg_date: registered,
    dt_mod_date: random.chance(0.3) ? null : makeDate(random, registered),
    s_name: person.name,
    s_username: random.chance(0.85) ? String(id) : (person.email.split('@')[0] ?? '').toLowerCase(),
    s_password: random.chance(0.04)
      ? makeSha1(random)
      : makeBcrypt(random, random.pick([10, 15, 15]), random.chance(0.1) ? '2a' : '2y'),
    s_secret: random.chance(0.02) ? null : makeSecret(random),
    s_email: person.email,
    s_website: perhaps(random, 0.2, () => `https://${random.text('abcdefghijkl', 8)}.example.com/?a=1&b=ü`),
    s_phone_land: perhaps(random, 0.3, phone),
    s_phone_mobile: perhaps(random, 0.5, phone),
    b_enabled: allActive || random.chance(0.98) ? 1 : 0,
    b_active: allActive || random.chance(0.95) ? 1 : 0,
    s_pass_code: reset ? makeSecret(random, 30) : null,
    s_pass_date: reset ? makeDate(random, registered) : null,
    s_pass_ip: reset ? '192.0.2.7' : null,
    ...addressOf(random, atlas, modern),
    b_company: random.chance(0.1) ? 1 : 0,
    ...(random.chance(0.3) || accessDateDefault === null
      ? { dt_access_date: accessDateDefault, s_access_ip: '' }
      : { dt_access_date: makeDate(random, registered), s_access_ip: '198.51.100.23' }),
    ...(modern && {
      i_login_fails: random.chance(0.05) ? 2 : 0,
      s_profile_img: random.chance(0.1) ? `${id}.jpg` : null,
      fk_c_locale_code: random.chance(0.5) ? (site.locales[0] ?? null) : null,
    }),
  };
  const descriptions = site.locales.flatMap((locale): Row[] => {
    // drawn for each locale alone, so that sites with other locales still agree on those they share
    const draw = makeRandom(`${person.email}/${infoSeed}/${locale}`);
    if (!draw.chance(0.3)) return [];
    const info = perhaps(draw, 0.7, () => draw.pick(INFO));
    return [{ fk_i_user_id: id, fk_c_locale_code: locale, s_info: modern && draw.chance(0.05) ? '🚲' : info }];
  });
  return { user, descriptions };
};
