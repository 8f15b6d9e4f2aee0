import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { serverChanged } from '../../src/store/same-server.ts';
import { writeState } from '../../src/store/state.ts';
import { hostPool } from '../support/host-pool.ts';

test('another server than before is noticed once, and the first one not at all', async () => {
  const { db } = await hostPool();
  await migrate(db, 'oc_');
  expect(await serverChanged(db)).toBe(false);
  expect(await serverChanged(db)).toBe(false);
  // The replica that took over has the rows of the one that was lost.
  await writeState(db, 'server_id', '4711');
  expect(await serverChanged(db)).toBe(true);
  expect(await serverChanged(db)).toBe(false);
});
