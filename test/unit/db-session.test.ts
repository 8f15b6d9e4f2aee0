import type { PoolConnection } from 'mysql2';
import { expect, test } from 'vitest';
import { startSession } from '../../src/db/session.ts';

interface Variable {
  Variable_name: string;
  Value: string;
}

/** The statements that a connection gets whose server answers SHOW VARIABLES like this. */
async function statementsOn(variables: readonly Variable[]): Promise<string[]> {
  const statements: string[] = [];
  const connection = {
    query({ sql }: { sql: string }, done: (error: null, rows: unknown) => void): void {
      statements.push(sql);
      done(null, sql.startsWith('SHOW VARIABLES') ? variables : [{ sql_mode: 'STRICT_ALL_TABLES' }]);
    },
  };
  await startSession(connection as unknown as PoolConnection, 10);
  return statements;
}

test('on a node of a Galera cluster reads wait for what other nodes committed', async () => {
  const statements = await statementsOn([{ Variable_name: 'wsrep_on', Value: 'ON' }]);
  expect(statements).toContain('SET SESSION wsrep_sync_wait = 1');
});

test('a server that makes joins of long lists is told not to', async () => {
  const statements = await statementsOn([{ Variable_name: 'in_predicate_conversion_threshold', Value: '1000' }]);
  expect(statements).toContain('SET SESSION in_predicate_conversion_threshold = 0');
});

test.each([
  ['on a server without a cluster', [{ Variable_name: 'wsrep_on', Value: 'OFF' }]],
  ['on a server that knows no clusters', []],
])('%s nothing is said of waiting', async (_, variables) => {
  const statements = await statementsOn(variables);
  expect(statements.join(';')).not.toMatch(/SET SESSION (wsrep_sync_wait|in_predicate)/);
});
