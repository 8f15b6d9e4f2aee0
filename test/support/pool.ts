/** Pools on test databases, closed when the test or file is over. */
import type { DatabaseConfig } from '../../src/config/config.ts';
import { openPool, type Pool, type PoolOptionsOfOurs } from '../../src/db/pool.ts';
import type { TestDatabase } from './database.ts';

/** The config a daemon would have for a test database. */
export function databaseConfig(
  database: Pick<TestDatabase, 'host' | 'port' | 'user' | 'password' | 'name'>,
  changes: Partial<DatabaseConfig> = {},
): DatabaseConfig {
  const { host, port, user, password, name } = database;
  return { host, port, user, password, name, socketPath: null, tablePrefix: 'oc_', ssl: false, ...changes };
}

/** The pool a daemon would open on a test database; the caller closes it. */
export function poolOn(database: TestDatabase, options: PoolOptionsOfOurs = {}): Pool {
  return openPool(databaseConfig(database), options);
}
