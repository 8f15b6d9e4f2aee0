import type { PoolConnection } from 'mysql2';
import { expect, test } from 'vitest';
import { startSession } from '../../src/db/session.ts';

/** The statements that a connection gets whose server answers SHOW VARIABLES like this. */
async function statementsOn(wsrep: readonly { Value: string }[]): Promise<string[]> {
  const statements: string[] = [];
  const connection = {
    query({ sql }: { sql: string }, done: (error: null, rows: unknown) => void): void {
      statements.push(sql);
      done(null, sql.startsWith('SHOW VARIABLES') ? wsrep : [{ sql_mode: 'STRICT_ALL_TABLES' }]);
    },
  };
  await startSession(connection as unknown as PoolConnection, 10);
  return statements;
}

test('on a node of a Galera cluster reads wait for what other nodes committed', async () => {
  expect(await statementsOn([{ Value: 'ON' }])).toContain('SET SESSION wsrep_sync_wait = 1');
});

test.each([
  ['on a server without a cluster', [{ Value: 'OFF' }]],
  ['on a server that knows no clusters', []],
])('%s nothing is said of waiting', async (_, wsrep) => {
  expect((await statementsOn(wsrep)).join(';')).not.toContain('sync_wait');
});
