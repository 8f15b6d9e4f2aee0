import { expect, test } from 'vitest';
import { ownTables } from '../../src/db/catalog.ts';
import { migrate } from '../../src/db/migrate.ts';
import { serverChanged } from '../../src/store/same-server.ts';
import { writeState } from '../../src/store/state.ts';
import { hostPool } from '../support/host-pool.ts';

test('another server than before is noticed once, and the first one not at all', async () => {
  const { db } = await hostPool();
  const own = ownTables('oc_');
  await migrate(db, 'oc_');
  expect(await serverChanged(db, own)).toBe(false);
  expect(await serverChanged(db, own)).toBe(false);
  // The replica that took over has the rows of the one that was lost.
  await writeState(db, own, 'server_id', '4711');
  expect(await serverChanged(db, own)).toBe(true);
  expect(await serverChanged(db, own)).toBe(false);
});
