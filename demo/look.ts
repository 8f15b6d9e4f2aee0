/** Looking at one user of a site, as often as it takes to see a change arrive. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Host } from '../test/support/osclass/host.ts';

/** What can be seen of a user everywhere alike: value by column, places by slug, descriptions by locale. */
export type Look = ReadonlyMap<string, string | null>;

/** Columns that mean the same on every site; ids, counters and the traces of visits do not, times of edits are compared at the end. */
const COLUMNS = `s_name s_username s_password s_email s_website s_phone_land s_phone_mobile b_enabled b_active
  fk_c_country_code s_country s_address s_zip s_region s_city s_city_area d_coord_lat d_coord_long b_company`.split(
  /\s+/,
);

const POLL_MS = 4;

/** One user by e-mail; undefined if there is none. Two small statements. */
export async function lookAt(host: Host, email: string): Promise<Look | undefined> {
  const [row] = await host.select(
    `SELECT u.*, r.s_slug AS region, c.s_slug AS city FROM {user} u
       LEFT JOIN {region} r ON r.pk_i_id = u.fk_i_region_id LEFT JOIN {city} c ON c.pk_i_id = u.fk_i_city_id
      WHERE u.s_email = ?`,
    [email],
  );
  if (row === undefined) return undefined;
  const look = new Map([...COLUMNS, 'region', 'city'].map((name) => [name, textOf(row[name])]));
  // decimal(10,6) and decimal(20,10) hold the same place.
  for (const name of ['d_coord_lat', 'd_coord_long']) look.set(name, degreesOf(row[name]));
  // A user name that is only the own id says nothing elsewhere.
  if (row.s_username === String(row.pk_i_id)) look.set('s_username', null);
  const infos = await host.select(
    'SELECT fk_c_locale_code AS locale, s_info AS info FROM {user_description} WHERE fk_i_user_id = ?',
    [row.pk_i_id],
  );
  for (const { locale, info } of infos) look.set(`description ${locale}`, textOf(info));
  return look;
}

const textOf = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : String(value);

const degreesOf = (value: string | number | null | undefined): string | null =>
  value === null || value === undefined ? null : Number(value).toFixed(6);

/** What is not as it was; a column that is gone counts as NULL. */
export function changesBetween(before: Look | undefined, after: Look): Look {
  const names = new Set([...(before?.keys() ?? []), ...after.keys()]);
  const valueOf = (look: Look | undefined, name: string): string | null => look?.get(name) ?? null;
  return new Map(
    [...names]
      .filter((name) => before === undefined || valueOf(before, name) !== valueOf(after, name))
      .map((name) => [name, valueOf(after, name)]),
  );
}

/** True if every value wanted can be seen. */
export const shows = (look: Look | undefined, wanted: Look): boolean =>
  look !== undefined && [...wanted].every(([name, value]) => (look.get(name) ?? null) === value);

/**
 * Looks every few milliseconds until `isThere`, and gives the milliseconds since `sinceMs` (of `performance.now()`);
 * undefined if it was not there within `timeoutMs`.
 */
export async function timeUntil(
  isThere: () => Promise<boolean>,
  { sinceMs, timeoutMs, signal }: { sinceMs: number; timeoutMs: number; signal: AbortSignal },
): Promise<number | undefined> {
  for (;;) {
    const seen = await isThere();
    const elapsedMs = performance.now() - sinceMs;
    if (seen) return elapsedMs;
    if (elapsedMs > timeoutMs) return undefined;
    await wait(POLL_MS, undefined, { signal });
  }
}
