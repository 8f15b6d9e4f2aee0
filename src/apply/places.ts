/** Places of addresses: names travel, ids do not. */
import type { Transaction } from 'kysely';
import { countUnknownPlaces } from '../store/unknown-places.ts';
import type { Values } from '../model/register.ts';
import type { UserPlan } from './decide.ts';
import type { RecordSource } from '../model/outcome.ts';
import type { Catalog } from '../db/catalog.ts';
import type { Locations } from '../osclass/locations.ts';
import type { ColumnWrites } from '../osclass/write-users.ts';

/** Finds this site's own ids for the places of each address, and remembers which it does not know. */
export async function resolvePlaces(
  trx: Transaction<unknown>,
  deps: { readonly catalog: Catalog; readonly locations: Locations },
  plans: readonly UserPlan[],
): Promise<void> {
  const table = deps.catalog.requireTable('t_user');
  const moved = plans.filter((plan) => plan.take.has('address'));
  const resolved = await deps.locations.resolveMany(
    trx,
    moved.map((plan) => (plan.take.get('address') as { values: Values }).values),
  );
  for (const [index, plan] of moved.entries()) {
    const found = resolved[index];
    if (found === undefined) continue;
    const places = Object.entries(found.columns).flatMap(([name, value]) => {
      const column = table.column(name);
      return column === undefined ? [] : [[column, value] as const];
    });
    plan.places = new Map(places) satisfies ColumnWrites;
    plan.unknownPlaces = found.missing;
  }
}

/** Counts places that are unknown here, and notes those that the peer names for the first time. */
export async function reportPlaces(
  trx: Transaction<unknown>,
  deps: { readonly nowMs: () => number },
  from: RecordSource,
  plans: readonly UserPlan[],
): Promise<void> {
  const mentions = plans.flatMap((plan) => plan.unknownPlaces ?? []);
  const news = await countUnknownPlaces(trx, from.route.name, mentions, deps.nowMs());
  for (const plan of plans) {
    for (const place of plan.unknownPlaces ?? []) {
      if (!news.delete(place)) continue;
      plan.notes.push({ code: 'LOCATION_UNKNOWN', register: 'address', message: `This site does not know ${place}.` });
    }
  }
}
