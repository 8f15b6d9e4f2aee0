/** Rights as they are now. Servers look up what an account may do with a database once, when a connection chooses it. */
import type { Kysely } from 'kysely';
import { useSchema, type Catalog } from './catalog.ts';

/** Runs `work` on a connection that has chosen the database again: `USE schema`. What it lost meanwhile shows there. */
export async function withFreshRights<T>(
  db: Kysely<unknown>,
  catalog: Pick<Catalog, 'schema'>,
  work: (connection: Kysely<unknown>) => Promise<T>,
): Promise<T> {
  return await db.connection().execute(async (connection) => {
    await useSchema(catalog).execute(connection);
    return await work(connection);
  });
}
