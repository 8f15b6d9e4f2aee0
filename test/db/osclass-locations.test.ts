import { CompiledQuery } from 'kysely';
import { expect, test } from 'vitest';
import { makeLocations } from '../../src/osclass/locations.ts';
import { readSiteTimezone } from '../../src/osclass/timezone.ts';
import { hostPool, type HostPool } from '../support/host-pool.ts';

const none = { fk_c_country_code: null, fk_i_region_id: null, fk_i_city_id: null, fk_i_city_area_id: null };

/** Name of a place by the id that was found. */
const nameOf = async ({ host }: HostPool, table: string, id: string | null) =>
  id === null ? null : (await host.select(`SELECT s_name FROM {${table}} WHERE pk_i_id = ?`, [id]))[0]?.['s_name'];

test('country by code, region, city and area by name within the one above', async () => {
  const site = await hostPool({ locationOffset: 500 });
  const locations = makeLocations({ catalog: site.catalog });
  const { columns, missing } = await locations.resolve(site.db, {
    fk_c_country_code: 'AR',
    s_country: 'Argentina',
    s_region: 'Córdoba',
    s_city: 'Córdoba',
  });
  expect(missing).toEqual([]);
  expect(columns.fk_c_country_code).toBe('AR');
  const [row] = await site.host.select(
    "SELECT r.pk_i_id AS r, c.pk_i_id AS c FROM {region} r JOIN {city} c ON c.fk_i_region_id = r.pk_i_id WHERE r.fk_c_country_code = 'AR' AND c.s_name = 'Córdoba'",
  );
  expect(columns).toMatchObject({ fk_i_region_id: String(row?.['r']), fk_i_city_id: String(row?.['c']) });

  const triana = await locations.resolve(site.db, {
    fk_c_country_code: 'ES',
    s_region: 'Andalucía',
    s_city: 'Sevilla',
    s_city_area: 'Triana',
  });
  expect(await nameOf(site, 'city_area', triana.columns.fk_i_city_area_id)).toBe('Triana');
});

const neustadtIn = (region: string) => ({ fk_c_country_code: 'DE', s_region: region, s_city: 'Neustadt' });

test('one name in two regions is told apart by the region', async () => {
  const site = await hostPool();
  const locations = makeLocations({ catalog: site.catalog });
  const [bavaria, palatinate] = await locations.resolveMany(site.db, [
    neustadtIn('Bayern'),
    neustadtIn('Rheinland-Pfalz'),
  ]);
  expect(bavaria?.columns.fk_i_city_id).not.toBe(palatinate?.columns.fk_i_city_id);
  expect(await nameOf(site, 'city', bavaria?.columns.fk_i_city_id ?? null)).toBe('Neustadt');
});

test('case, blanks, accents (by slug) and native names do not matter', async () => {
  const site = await hostPool({ flavour: '8' });
  const locations = makeLocations({ catalog: site.catalog });
  const results = await locations.resolveMany(site.db, [
    { fk_c_country_code: 'es', s_region: ' ANDALUCÍA ', s_city: 'sevilla' },
    { fk_c_country_code: 'ES', s_region: 'Andalucia', s_city: 'Malaga' },
    { fk_c_country_code: 'GR', s_region: 'Αττική', s_city: 'Athens' },
    { fk_c_country_code: 'ES', s_region: 'whatever it is called', s_region_native: 'Catalunya' },
    { fk_c_country_code: null, s_country: 'Ελλάδα' },
    { fk_c_country_code: 'UK', s_country: 'Germany', s_region: 'Berlin' },
  ]);
  expect(results.map((result) => result.missing)).toEqual([[], [], [], [], [], []]);
  expect(results.map((result) => result.columns.fk_c_country_code)).toEqual(['ES', 'ES', 'GR', 'ES', 'GR', 'DE']);
  expect(await nameOf(site, 'city', results[1]?.columns.fk_i_city_id ?? null)).toBe('Málaga');
  expect(await nameOf(site, 'region', results[3]?.columns.fk_i_region_id ?? null)).toBe('Cataluña');
});

test('what the site does not know is NULL and named, once: not what lies in it', async () => {
  const site = await hostPool();
  const locations = makeLocations({ catalog: site.catalog });
  const results = await locations.resolveMany(site.db, [
    { fk_c_country_code: 'XX', s_country: 'Narnia', s_region: 'North', s_city: 'Cair' },
    { fk_c_country_code: 'XX' },
    { fk_c_country_code: 'ES', s_region: 'Galicia', s_city: 'Vigo' },
    { fk_c_country_code: 'ES', s_region: 'Madrid', s_city: 'Sevilla' },
    { s_country: null, s_region: null },
    { s_region: 'Madrid' },
    {},
  ]);
  expect(results.map((result) => result.missing)).toEqual([
    ['the country Narnia'],
    ['the country XX'],
    ['the region Galicia'],
    ['the city Sevilla'],
    [],
    [],
    [],
  ]);
  expect(results[0]?.columns).toEqual(none);
  expect(results[2]?.columns).toEqual({ ...none, fk_c_country_code: 'ES' });
  expect(results[3]?.columns.fk_i_region_id).not.toBeNull();
  expect(results[3]?.columns.fk_i_city_id).toBeNull();
});

test('a batch costs a few statements, its repetition none, and answers expire', async () => {
  const site = await hostPool();
  let nowMs = 0;
  const asked: string[] = [];
  const counting = site.db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: (args) => {
      asked.push('one');
      return Promise.resolve(args.result);
    },
  });
  const locations = makeLocations({ catalog: site.catalog, ttlMs: 1000, now: () => nowMs });
  const batch = Array.from({ length: 300 }, (_, at) => ({
    fk_c_country_code: 'ES',
    s_region: at % 2 === 0 ? 'Madrid' : 'Andalucía',
    s_city: at % 3 === 0 ? 'Sevilla' : `Nowhere ${at}`,
    s_city_area: 'Triana',
  }));
  const first = await locations.resolveMany(counting, batch);
  expect(asked).toHaveLength(4);
  expect(await locations.resolveMany(counting, batch)).toEqual(first);
  expect(asked).toHaveLength(4);

  await site.host.write("UPDATE {city} SET s_name = 'Nowhere 2', s_slug = 'x' WHERE s_name = 'Madrid'");
  expect((await locations.resolveMany(counting, batch))[2]?.columns.fk_i_city_id).toBeNull();
  nowMs = 1001;
  expect((await locations.resolveMany(counting, batch))[2]?.columns.fk_i_city_id).not.toBeNull();
});

test('more places than the cache keeps are answered all the same', async () => {
  const site = await hostPool();
  const locations = makeLocations({ catalog: site.catalog, limit: 2 });
  const cities = ['Sevilla', 'Córdoba', 'Málaga', 'Sevilla'];
  const results = await locations.resolveMany(
    site.db,
    cities.map((city) => ({ fk_c_country_code: 'ES', s_region: 'Andalucía', s_city: city })),
  );
  const names = await Promise.all(results.map((result) => nameOf(site, 'city', result.columns.fk_i_city_id)));
  expect(names).toEqual(cities);
});

test('text only: the country code if the site knows it, and no ids', async () => {
  const site = await hostPool();
  const locations = makeLocations({ catalog: site.catalog, mode: 'text_only' });
  const results = await locations.resolveMany(site.db, [
    { fk_c_country_code: 'ES', s_region: 'Madrid', s_city: 'Madrid' },
    { fk_c_country_code: 'XX', s_country: 'Spain' },
  ]);
  expect(results.map((result) => result.columns)).toEqual([{ ...none, fk_c_country_code: 'ES' }, none]);
});

test('a site without tables of places knows none', async () => {
  const site = await hostPool();
  await site.host.write('SET foreign_key_checks = 0');
  for (const table of ['city_area', 'city', 'region', 'country']) await site.host.write(`DROP TABLE {${table}}`);
  const locations = makeLocations({ catalog: await site.look() });
  const { columns } = await locations.resolve(site.db, { fk_c_country_code: 'ES', s_region: 'Madrid' });
  expect(columns).toEqual(none);
});

test("the time zone is Osclass's own preference", async () => {
  const { db, catalog, host } = await hostPool({ timezone: 'Europe/Madrid' });
  expect(await readSiteTimezone(db, catalog)).toBe('Europe/Madrid');
  await host.write("UPDATE {preference} SET s_value = ' ' WHERE s_name = 'timezone'");
  expect(await readSiteTimezone(db, catalog)).toBeNull();
  await db.executeQuery(CompiledQuery.raw("DELETE FROM oc_t_preference WHERE s_name = 'timezone'"));
  expect(await readSiteTimezone(db, catalog)).toBeNull();
});
