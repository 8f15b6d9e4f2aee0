/** A simulated host together with the daemon's own pool and catalog on it, gone when the test is over. */
import { onTestFinished } from 'vitest';
import { readCatalog, type Catalog } from '../../src/db/catalog.ts';
import type { Pool } from '../../src/db/pool.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { createHost, type Host, type HostOptions } from './osclass/host.ts';
import { poolOn } from './pool.ts';

/** What a test of SQL on a host needs. */
export interface HostPool {
  readonly database: TestDatabase;
  readonly host: Host;
  readonly db: Pool['db'];
  readonly catalog: Catalog;
  /** Reads the catalog again, after the test altered tables. */
  readonly look: () => Promise<Catalog>;
}

/** For use inside a test. The host's clock stands at noon of 1 June 2024, UTC, unless given. */
export async function hostPool(options: HostOptions = {}): Promise<HostPool> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const pool = poolOn(database);
  onTestFinished(() => pool.close());
  const host = await createHost(database, { clock: () => Date.UTC(2024, 5, 1, 12), ...options });
  onTestFinished(() => host.close());
  const look = (): Promise<Catalog> => readCatalog(pool.db, database.name, options.prefix ?? 'oc_');
  return { database, host, db: pool.db, catalog: await look(), look };
}
