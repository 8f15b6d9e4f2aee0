/** This site's own ids for the places of an address. Names and country codes travel; ids never do. */
import type { Catalog } from '../db/catalog.ts';
import type { Runner } from '../db/transaction.ts';
import type { Value, Values } from '../model/register.ts';
import { makeExpiringCache } from './expiring-cache.ts';
import { inChunks } from './ids.ts';
import { findPlace, type Place, type WantedPlace } from './place-match.ts';
import { readAllPlaces, readPlaces } from './read-places.ts';

/** The columns that hold places of this site. */
export type LocationColumns = Readonly<
  Record<'fk_c_country_code' | 'fk_i_region_id' | 'fk_i_city_id' | 'fk_i_city_area_id', string | null>
>;

export interface ResolvedLocation {
  /** Ids as text; NULL where this site does not know the place. */
  readonly columns: LocationColumns;
  /** What this site does not know: `the country Narnia`. What lies in an unknown place is not named as well. */
  readonly missing: readonly string[];
}

export interface Locations {
  /** Of the columns of the address register: codes, names and native names. One answer for each, in order. */
  resolveMany(runner: Runner, addresses: readonly Values[]): Promise<ResolvedLocation[]>;
  resolve(runner: Runner, address: Values): Promise<ResolvedLocation>;
}

export interface LocationsOptions {
  readonly catalog: Catalog;
  /** `resolve` (default), or `text_only`: only country codes, if the site knows them. */
  readonly mode?: 'resolve' | 'text_only';
  /** How long an answer counts, also that a place is unknown; default 60 s. */
  readonly ttlMs?: number;
  /** Most answers kept; default 20,000. */
  readonly limit?: number;
  readonly now?: () => number;
}

interface Level {
  readonly base: string;
  readonly key: string;
  readonly parent: string;
  readonly label: string;
  readonly text: string;
  readonly native: string;
}

interface Countries {
  readonly all: readonly Place[];
  /** Id by code in upper case. */
  readonly byCode: ReadonlyMap<string, string>;
}

const LEVELS: readonly Level[] = [
  {
    base: 't_region',
    key: 'pk_i_id',
    parent: 'fk_c_country_code',
    label: 'region',
    text: 's_region',
    native: 's_region_native',
  },
  { base: 't_city', key: 'pk_i_id', parent: 'fk_i_region_id', label: 'city', text: 's_city', native: 's_city_native' },
  {
    base: 't_city_area',
    key: 'pk_i_id',
    parent: 'fk_i_city_id',
    label: 'city area',
    text: 's_city_area',
    native: '',
  },
];

/**
 * Finds the country by its code, else by name; region, city and area by name within the one above: first the name as it
 * is, then without regard to case, then the native name, then the slug. A batch costs at most one statement per level
 * and 500 places; answers are kept for `ttlMs`.
 */
export function makeLocations(options: LocationsOptions): Locations {
  const { catalog, mode = 'resolve', ttlMs = 60_000, limit = 20_000, now = () => performance.now() } = options;
  const countries = makeExpiringCache<Countries>({ ttlMs, limit: 1, now });
  const places = makeExpiringCache<string | null>({ ttlMs, limit, now });

  const readCountries = async (runner: Runner): Promise<Countries> => {
    const known = countries.get('all');
    if (known !== undefined) return known;
    const all = await readAllPlaces(runner, catalog.table('t_country'), 'pk_c_code');
    // From the last to the first: of two that differ only in case, the first counts.
    const read = { all, byCode: new Map(all.toReversed().map((place) => [place.id.toUpperCase(), place.id])) };
    countries.set('all', read);
    return read;
  };

  /** The answers for one level: the id of each wanted place, null if unknown, undefined if nothing is wanted. */
  const resolveLevel = async (
    runner: Runner,
    level: Level,
    wanted: readonly (WantedPlace | undefined)[],
  ): Promise<(string | null | undefined)[]> => {
    const table = catalog.table(level.base);
    const open = new Map<string, WantedPlace>();
    const answers = new Map<string, string | null>();
    const keys = wanted.map((place) => (place === undefined ? undefined : keyOf(level, place)));
    for (const [at, place] of wanted.entries()) {
      const key = keys[at];
      if (place === undefined || key === undefined || answers.has(key)) continue;
      const cached = places.get(key);
      if (cached === undefined) open.set(key, place);
      else answers.set(key, cached);
    }
    await inChunks(table === undefined ? [] : [...open.values()], async (chunk) => {
      const found = await readPlaces(runner, table, level, chunk);
      for (const place of chunk) {
        const answer = findPlace(place, found)?.id ?? null;
        places.set(keyOf(level, place), answer);
        answers.set(keyOf(level, place), answer);
      }
    });
    return keys.map((key) => (key === undefined ? undefined : (answers.get(key) ?? null)));
  };

  const resolveMany = async (runner: Runner, addresses: readonly Values[]): Promise<ResolvedLocation[]> => {
    if (addresses.length === 0) return [];
    const known = await readCountries(runner);
    const missing: string[][] = addresses.map(() => []);
    const ids: (string | null)[][] = addresses.map((address, at) => {
      const country = findCountry(address, known, mode);
      if (country === null) missing[at]?.push(`the country ${shown(address, 's_country', 'fk_c_country_code')}`);
      return [country ?? null];
    });
    for (const level of LEVELS) {
      const wanted = addresses.map((address, at) =>
        mode === 'resolve' ? want(address, level, ids[at]?.at(-1)) : undefined,
      );
      for (const [at, answer] of (await resolveLevel(runner, level, wanted)).entries()) {
        if (answer === null)
          missing[at]?.push(`the ${level.label} ${shown(addresses[at] ?? {}, level.text, level.native)}`);
        ids[at]?.push(answer ?? null);
      }
    }
    return ids.map(([country = null, region = null, city = null, area = null], at) => ({
      columns: { fk_c_country_code: country, fk_i_region_id: region, fk_i_city_id: city, fk_i_city_area_id: area },
      missing: missing[at] ?? [],
    }));
  };

  return {
    resolveMany,
    async resolve(runner, address) {
      const [resolved] = await resolveMany(runner, [address]);
      return resolved as ResolvedLocation;
    },
  };
}

/** The code of this site's country; null if it is unknown, undefined if the address names none. */
function findCountry(address: Values, known: Countries, mode: 'resolve' | 'text_only'): string | null | undefined {
  const code = textOf(address['fk_c_country_code']);
  const byCode = code === '' ? undefined : known.byCode.get(code.toUpperCase());
  if (byCode !== undefined) return byCode;
  const names = [address['s_country'], address['s_country_native']].map(textOf).filter((name) => name !== '');
  if (code === '' && names.length === 0) return undefined;
  if (mode === 'text_only') return code === '' ? undefined : null;
  return findPlace({ parent: '', names }, known.all)?.id ?? null;
}

/** The place to look for, if the address names one and the one above is known. */
function want(address: Values, level: Level, parent: string | null | undefined): WantedPlace | undefined {
  const names = [address[level.text], address[level.native]].map(textOf).filter((name) => name !== '');
  return names.length === 0 || parent === null || parent === undefined ? undefined : { parent, names };
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value.trim() : '';
}

function shown(address: Values, ...columns: string[]): string {
  return columns.map((column) => textOf(address[column])).find((text) => text !== '') ?? '';
}

function keyOf(level: Level, place: WantedPlace): string {
  return [level.base, place.parent, ...place.names].join('\u0000');
}
