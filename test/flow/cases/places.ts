/** Places: codes and names travel, ids do not. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side, StageOptions } from './stage.ts';

/** `beta` lists places in another order, under other ids, lacks some, and spells some in its own way. */
export const placeStage: StageOptions = {
  hosts: {
    b: {
      locations: { reverse: true, omit: ['GR', 'Mainz', 'Triana'], rename: { München: 'MÜNCHEN', Sevilla: 'Séville' } },
    },
  },
  setUp: { b: [`UPDATE {city} SET s_slug = 'sevilla' WHERE s_name = 'Séville'`] },
};

/** Names of the places whose ids a user holds. */
const placed = async (side: Side, email: string): Promise<unknown> =>
  (
    await side.sql(
      `SELECT u.fk_c_country_code AS country, r.s_name AS region, c.s_name AS city, ar.s_name AS area FROM {user} u
       LEFT JOIN {region} r ON r.pk_i_id = u.fk_i_region_id LEFT JOIN {city} c ON c.pk_i_id = u.fk_i_city_id
       LEFT JOIN {city_area} ar ON ar.pk_i_id = u.fk_i_city_area_id WHERE u.s_email = ?`,
      [email],
    )
  )[0];

/** On {@link placeStage}. */
export const placeCases: readonly Case[] = [
  {
    name: 'a city is found under its own id there',
    async play({ a, b, person }) {
      const email = await person({ country: 'ES', region: 'Cataluña', city: 'Girona' });
      expect(await placed(b, email)).toEqual({ country: 'ES', region: 'Cataluña', city: 'Girona', area: null });
      expect((await b.row(email))['fk_i_city_id']).not.toBe((await a.row(email))['fk_i_city_id']);
    },
  },
  {
    name: 'a city of a name that two regions and two countries have is the one of its region',
    async play({ b, person }) {
      const ar = await person({ country: 'AR', region: 'Córdoba', city: 'Córdoba' });
      const es = await person({ country: 'ES', region: 'Andalucía', city: 'Córdoba' });
      const pfalz = await person({ country: 'DE', region: 'Rheinland-Pfalz', city: 'Neustadt' });
      expect(await placed(b, ar)).toMatchObject({ country: 'AR', region: 'Córdoba', city: 'Córdoba' });
      expect(await placed(b, es)).toMatchObject({ country: 'ES', region: 'Andalucía', city: 'Córdoba' });
      expect(await placed(b, pfalz)).toMatchObject({ region: 'Rheinland-Pfalz', city: 'Neustadt' });
    },
  },
  {
    name: 'names are compared without regard to case',
    async play({ b, person }) {
      const email = await person({ country: 'DE', region: 'Bayern', city: 'München' });
      expect(await placed(b, email)).toMatchObject({ region: 'Bayern', city: 'MÜNCHEN' });
      expect(await b.row(email)).toMatchObject({ s_city: 'München' });
      expect(await b.codes()).toEqual([]);
    },
  },
  {
    name: 'a name that is spelled otherwise is found by its slug',
    async play({ b, person }) {
      const email = await person({ country: 'ES', region: 'Andalucía', city: 'Sevilla' });
      expect(await placed(b, email)).toMatchObject({ city: 'Séville' });
    },
  },
  {
    name: 'a city area is found within its city',
    async play({ a, b, person, sync }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      await a.set(email, 's_city_area', 'chamberí');
      await sync();
      expect(await placed(b, email)).toMatchObject({ city: 'Madrid', area: 'Chamberí' });
    },
  },
  {
    name: 'a country that is unknown there leaves NULL ids and the text, and is reported',
    async play({ b, person }) {
      const email = await person({ country: 'GR', region: 'Attica', city: 'Athens' });
      expect(await placed(b, email)).toEqual({ country: null, region: null, city: null, area: null });
      expect(await b.row(email)).toMatchObject({ s_country: 'Greece', s_region: 'Attica', s_city: 'Athens' });
      expect(await b.codes()).toEqual(['LOCATION_UNKNOWN']);
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'an unknown place is reported once, and counted for its peer',
    async play({ a, b, person, sync }) {
      const emails = [await person(), await person()];
      for (const email of emails) {
        await a.sql(`UPDATE {user} SET fk_c_country_code = 'ES', s_region = 'Nirgendwo' WHERE s_email = ?`, [email]);
      }
      await sync();
      const notes = (await b.said()).flatMap((said) => said.notes ?? []);
      expect(notes.map((note) => note.message)).toEqual(['This site does not know the region Nirgendwo.']);
      const [row] = await b.sql(`SELECT * FROM oc_account_sync_unknown_place WHERE place = 'the region Nirgendwo'`);
      expect(row).toMatchObject({ peer: 'alpha', addresses: '2' });
      const { body } = await b.world.admin('GET', '/v1/peers/alpha');
      expect(Number(body['unknown_locations'])).toBeGreaterThan(0);
    },
  },
  {
    name: 'a city that is unknown there leaves its region, and the text',
    async play({ b, person }) {
      const email = await person({ country: 'DE', region: 'Rheinland-Pfalz', city: 'Mainz' });
      expect(await placed(b, email)).toMatchObject({ country: 'DE', region: 'Rheinland-Pfalz', city: null });
      expect(await b.row(email)).toMatchObject({ s_city: 'Mainz' });
      expect(await b.codes()).toEqual(['LOCATION_UNKNOWN']);
    },
  },
  {
    name: 'what a site does not know comes back as it was: an unknown country is not lost at home',
    async play({ a, b, person, sync }) {
      const email = await person({ country: 'GR', region: 'Attica', city: 'Athens' });
      await b.set(email, 's_phone_land', '5');
      await sync();
      expect(await placed(a, email)).toMatchObject({ country: 'GR', region: 'Attica', city: 'Athens' });
      expect(await a.row(email)).toMatchObject({ s_phone_land: '5' });
    },
  },
  {
    name: 'a place that is taken away leaves no id behind',
    async play({ a, b, person, sync }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      await a.host.person.editProfile(email, { country: '', region: '', city: '' });
      await sync();
      expect(await placed(b, email)).toEqual({ country: null, region: null, city: null, area: null });
    },
  },
  {
    name: 'a place known by a code in small letters is the same place',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(`UPDATE {user} SET fk_c_country_code = 'es', s_country = '', s_region = 'MADRID' WHERE s_email = ?`, [
        email,
      ]);
      await sync();
      expect(await placed(b, email)).toMatchObject({ country: 'ES', region: 'Madrid' });
    },
  },
  {
    name: 'a native name finds the place where the other is unknown',
    async play({ a, b, person, sync }) {
      const modern = b.flavour === '8' ? b : a;
      const other = modern === b ? a : b;
      const email = await person({}, other);
      if (modern === b) await b.sql(`UPDATE {region} SET s_name_native = 'Catalunya' WHERE s_name = 'Cataluña'`);
      await other.sql(`UPDATE {user} SET fk_c_country_code = 'ES', s_region = 'Catalunya' WHERE s_email = ?`, [email]);
      await sync();
      const region = modern.flavour === '8' ? 'Cataluña' : null;
      expect(await placed(modern, email)).toMatchObject({ country: 'ES', region });
    },
  },
  {
    name: 'a place without region names only what is known',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.sql(
        `UPDATE {user} SET fk_c_country_code = 'DE', s_country = 'Germany', s_city = 'Berlin' WHERE s_email = ?`,
        [email],
      );
      await sync();
      expect(await placed(b, email)).toMatchObject({ country: 'DE', region: null });
      expect(await b.row(email)).toMatchObject({ s_city: 'Berlin' });
    },
  },
];

/** `beta` looks for no ids. */
export const textOnlyCases: readonly Case[] = [
  {
    name: 'text_only keeps the country code and the text, and looks for no ids',
    async play({ b, person }) {
      const email = await person({ country: 'ES', region: 'Madrid', city: 'Madrid' });
      expect(await placed(b, email)).toEqual({ country: 'ES', region: null, city: null, area: null });
      expect(await b.row(email)).toMatchObject({ s_region: 'Madrid', s_city: 'Madrid' });
      expect(await b.codes()).toEqual([]);
    },
  },
];
