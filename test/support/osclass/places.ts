import { FLAVOURS } from './flavour.ts';
import { insert, type Row, type Site } from './site.ts';

type City = readonly [name: string, ...areas: string[]];
interface Region {
  name: string;
  native?: string;
  cities: readonly City[];
}
interface Country {
  code: string;
  name: string;
  native: string;
  regions: readonly Region[];
}

/** Few places, with the difficulties of many: one name in two regions or countries, accents, a region named like its city. */
const PLACES: readonly Country[] = [
  {
    code: 'ES',
    name: 'Spain',
    native: 'España',
    regions: [
      { name: 'Andalucía', cities: [['Sevilla', 'Triana', 'Nervión'], ['Córdoba'], ['Málaga']] },
      { name: 'Cataluña', native: 'Catalunya', cities: [['Barcelona', 'Gràcia', 'Eixample'], ['Girona']] },
      { name: 'Madrid', cities: [['Madrid', 'Centro', 'Chamberí'], ['Alcalá de Henares']] },
    ],
  },
  {
    code: 'DE',
    name: 'Germany',
    native: 'Deutschland',
    regions: [
      { name: 'Bayern', cities: [['München', 'Schwabing'], ['Nürnberg'], ['Neustadt']] },
      { name: 'Rheinland-Pfalz', cities: [['Mainz'], ['Neustadt']] },
      { name: 'Berlin', cities: [['Berlin', 'Mitte', 'Kreuzberg']] },
    ],
  },
  {
    code: 'AR',
    name: 'Argentina',
    native: 'Argentina',
    regions: [
      { name: 'Córdoba', cities: [['Córdoba'], ['Villa María']] },
      { name: 'Buenos Aires', cities: [['La Plata'], ['Mar del Plata']] },
    ],
  },
  {
    code: 'GR',
    name: 'Greece',
    native: 'Ελλάδα',
    regions: [{ name: 'Attica', native: 'Αττική', cities: [['Athens', 'Plaka'], ['Piraeus']] }],
  },
];

/** How the places of one site differ from those of another. */
export interface LocationOptions {
  /** Added to the ids of regions, cities and areas, so that the same place has another id elsewhere. */
  idOffset?: number;
  /** Insert in reverse order: ids differ by more than an offset. */
  reverse?: boolean;
  /** Names (or country codes) of places this site does not have, with what lies in them. */
  omit?: readonly string[];
  /** Other spellings, by the name in {@link PLACES}. */
  rename?: Readonly<Record<string, string>>;
}

/** Name to slug, as in Osclass: no accents, lower case, hyphens. */
const slugOf = (name: string): string =>
  name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-');

const ordered = <T>(list: readonly T[], reverse: boolean): T[] => (reverse ? list.toReversed() : [...list]);

/** Fills `t_country`, `t_region`, `t_city`, `t_city_area`. */
export const seedLocations = async (site: Site, options: LocationOptions = {}): Promise<void> => {
  const { idOffset = 0, reverse = false, omit = [], rename = {} } = options;
  const { modern } = FLAVOURS[site.flavour];
  const named = (name: string, native: string | undefined): Row => {
    const shown = rename[name] ?? name;
    return { s_name: shown, s_slug: slugOf(shown), ...(modern && { s_name_native: native ?? null }) };
  };
  const kept = (name: string): boolean => !omit.includes(name);
  let [regionId, cityId, areaId] = [idOffset, idOffset, idOffset];
  for (const country of ordered(PLACES, reverse).filter(({ code }) => kept(code))) {
    await insert(site, 'country', { pk_c_code: country.code, ...named(country.name, country.native) });
    for (const region of ordered(country.regions, reverse).filter(({ name }) => kept(name))) {
      regionId += 1;
      const key = { pk_i_id: regionId, fk_c_country_code: country.code };
      await insert(site, 'region', { ...key, ...named(region.name, region.native) });
      for (const [city, ...areas] of ordered(region.cities, reverse).filter(([name]) => kept(name))) {
        cityId += 1;
        await insert(site, 'city', {
          pk_i_id: cityId,
          fk_i_region_id: regionId,
          fk_c_country_code: country.code,
          ...named(city, undefined),
        });
        for (const area of areas.filter(kept)) {
          areaId += 1;
          await insert(site, 'city_area', { pk_i_id: areaId, fk_i_city_id: cityId, s_name: area });
        }
      }
    }
  }
};

/** Fills categories: two trees, three levels deep at most, ids 1 – 7, with a description per locale. */
export const seedCategories = async (site: Site): Promise<void> => {
  const tree: [id: number, parent: number | null, name: string][] = [
    [1, null, 'Vehicles'],
    [2, 1, 'Cars'],
    [3, 2, 'Electric cars'],
    [4, 1, 'Bicycles'],
    [5, null, 'Real estate'],
    [6, 5, 'Flats'],
    [7, 5, 'Houses'],
  ];
  for (const [id, parent, name] of tree) {
    await insert(site, 'category', { pk_i_id: id, fk_i_parent_id: parent, i_position: id });
    for (const locale of site.locales) {
      await insert(site, 'category_description', {
        fk_i_category_id: id,
        fk_c_locale_code: locale,
        s_name: name,
        s_slug: slugOf(name),
      });
    }
  }
};

/** Locales, currencies, one custom field and the preferences this project reads. */
export const seedBasics = async (site: Site): Promise<void> => {
  for (const code of site.locales) {
    await insert(site, 'locale', {
      pk_c_code: code,
      s_name: code,
      s_short_name: code,
      s_description: code,
      s_version: '1.0',
      s_author_name: 'Osclass',
      s_author_url: 'https://example.com/',
      s_currency_format: '{NUMBER} {CURRENCY}',
      s_date_format: 'd/m/Y',
    });
  }
  await insert(site, 'currency', { pk_c_code: 'EUR', s_name: 'Euro', s_description: 'Euro €' });
  await insert(site, 'meta_fields', { pk_i_id: 1, s_name: 'Condition', s_slug: 'condition' });
  const preferences = {
    timezone: site.timezone,
    language: site.locales[0] ?? 'en_US',
    // As Osclass's installer writes it.
    enabled_user_validation: '1',
    version: { '3.7': '374', '5.2': '520', '8': '830' }[site.flavour],
  };
  for (const [name, value] of Object.entries(preferences)) {
    await insert(site, 'preference', { s_section: 'osclass', s_name: name, s_value: value, e_type: 'STRING' });
  }
};
