import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeLeases, type Leases } from '../../src/store/lease.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { Pool } from '../../src/db/pool.ts';
import { SyncError } from '../../src/model/errors.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { createDatabase, type TestDatabase } from '../support/database.ts';
import { poolOn } from '../support/pool.ts';
import { OWN } from '../support/own-tables.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createDatabase();
  pool = poolOn(database);
  await migrate(pool.db, 'oc_');
  await database.query('CREATE TABLE work (n INT) ENGINE=InnoDB');
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

beforeEach(async () => {
  await database.query(`DELETE FROM ${OWN.lease}`);
  await database.query('DELETE FROM work');
});

const leasesOf = (holder: string): Leases => makeLeases({ db: pool.db, holder });
const expire = () => database.query(`UPDATE ${OWN.lease} SET expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND`);
const held = async (leases: Leases, name = 'drain') => {
  const lease = await leases.tryAcquire(name);
  if (lease === undefined) throw new Error(`${name} is taken`);
  return lease;
};

test('one of many who try at once gets the lease', async () => {
  const tries = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => leasesOf(holder).tryAcquire('drain')));
  expect(tries.filter((lease) => lease !== undefined)).toHaveLength(1);
  await expire();
  const again = await Promise.all(['a', 'b', 'c', 'd'].map((holder) => leasesOf(holder).tryAcquire('drain')));
  expect(again.filter((lease) => lease !== undefined)).toHaveLength(1);
});

test('kinds of work are independent, and a released lease is free at once', async () => {
  const a = leasesOf('a');
  const drain = await held(a);
  await held(a, 'retention');
  expect(await leasesOf('b').tryAcquire('drain')).toBeUndefined();
  expect(await a.tryAcquire('drain')).toBeUndefined();
  await drain.release();
  await held(leasesOf('b'));
});

test('renewing and fencing prolong the lease, even twice in one millisecond', async () => {
  const lease = await held(leasesOf('a'));
  await database.query(`UPDATE ${OWN.lease} SET expires_at = UTC_TIMESTAMP(3) + INTERVAL 1 SECOND`);
  await lease.renew();
  await inTransaction(pool.db, async (trx) => {
    await sql`SET timestamp = 1900000000`.execute(trx);
    await lease.renew().catch(() => undefined);
    await lease.fence(trx).catch(() => undefined);
    await sql`SET timestamp = DEFAULT`.execute(trx);
    await lease.fence(trx);
    await lease.fence(trx);
  });
  const rows = await database.query<{ left: string }>(
    `SELECT TIMESTAMPDIFF(SECOND, UTC_TIMESTAMP(3), expires_at) AS \`left\` FROM ${OWN.lease}`,
  );
  expect(Number(rows[0]?.left)).toBeGreaterThanOrEqual(28);
});

test('work under a lease that expired and went to another does not commit', async () => {
  const lease = await held(leasesOf('a'));
  await expire();
  const other = await held(leasesOf('b'));
  const late = inTransaction(pool.db, async (trx) => {
    await sql`INSERT INTO work VALUES (1)`.execute(trx);
    await lease.fence(trx);
  });
  await expect(late).rejects.toMatchObject({ code: 'LEASE_LOST' });
  await expect(lease.renew()).rejects.toMatchObject({ code: 'LEASE_LOST' });
  expect(await database.query('SELECT * FROM work')).toEqual([]);
  await lease.release();
  await other.renew();
});

test('the same daemon that took the lease again does not save its own earlier work', async () => {
  const leases = leasesOf('a');
  const slept = await held(leases);
  await expire();
  await held(leases);
  await expect(slept.renew()).rejects.toMatchObject({ code: 'LEASE_LOST' });
});

test('nobody can take the lease between the fence and the commit', async () => {
  const lease = await held(leasesOf('a'));
  await inTransaction(pool.db, async (trx) => {
    await lease.fence(trx);
    expect(await leasesOf('b').tryAcquire('drain')).toBeUndefined();
  });
});

test('a lease of a time before the clock was set back is free, and its holder has lost it', async () => {
  const lease = await held(leasesOf('a'));
  await database.query(`UPDATE ${OWN.lease} SET expires_at = UTC_TIMESTAMP(3) + INTERVAL 1 DAY`);
  await held(leasesOf('b'));
  await expect(lease.renew()).rejects.toMatchObject({ code: 'LEASE_LOST' });
});

test('a lease that could not be given back is free for the same daemon at once, for one of its callers, and for no other', async () => {
  const one = poolOn(database, { connectionLimit: 1 });
  try {
    const leases = makeLeases({ db: one.db, holder: 'a' });
    const lease = await held(leases);
    await sql`SET SESSION TRANSACTION READ ONLY`.execute(one.db);
    await expect(lease.release()).rejects.toMatchObject({ code: 'DB_READ_ONLY' });
    expect(await leasesOf('b').tryAcquire('drain')).toBeUndefined();
    const tries = await Promise.all([leases.tryAcquire('drain'), leases.tryAcquire('drain')]);
    const [again, ...more] = tries.filter((each) => each !== undefined);
    expect([again, more]).toEqual([expect.objectContaining({ name: 'drain' }), []]);
    await again?.renew();
    expect(await leases.tryAcquire('drain')).toBeUndefined();
  } finally {
    await one.close();
  }
});

test('a lease whose taking was cut off after the commit is free for the same daemon at once', async () => {
  let isCut = true;
  const cutting = poolOn(database, {
    onStatement(statement) {
      if (isCut && statement.includes('INSERT INTO')) throw new SyncError('DB_UNAVAILABLE');
    },
  });
  try {
    const leases = makeLeases({ db: cutting.db, holder: 'a' });
    await expect(leases.tryAcquire('drain')).rejects.toMatchObject({ code: 'DB_UNAVAILABLE' });
    isCut = false;
    expect(await leasesOf('b').tryAcquire('drain')).toBeUndefined();
    await (await held(leases)).renew();
  } finally {
    await cutting.close();
  }
});
