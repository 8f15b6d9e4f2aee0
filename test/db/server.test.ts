import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createAccount, createDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const databases: TestDatabase[] = [];
const fresh = async (options?: { charset?: string }): Promise<TestDatabase> => {
  const db = await createDatabase(options);
  databases.push(db);
  return db;
};
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const db of databases.splice(0)) await db.drop();
});

const schemas = async (db: TestDatabase, name: string): Promise<number> =>
  (await db.query('SELECT 1 FROM information_schema.schemata WHERE schema_name = ?', [name])).length;

describe('a test database', () => {
  test('is there and empty, and gone after drop', async () => {
    const [db, other] = [await fresh(), await fresh()];
    expect(db.name).not.toBe(other.name);
    expect(await db.query('SHOW TABLES')).toEqual([]);
    expect(await other.query('SELECT DATABASE() AS name')).toEqual([{ name: other.name }]);
    await db.drop();
    await db.drop();
    expect(await schemas(other, db.name)).toBe(0);
    expect(await schemas(other, other.name)).toBe(1);
  });

  test('gives values as the server holds them', async () => {
    const db = await fresh();
    await db.query('CREATE TABLE t (id BIGINT UNSIGNED PRIMARY KEY, at DATETIME(6), day DATE, price DECIMAL(30, 10))');
    await db.query("SET SESSION sql_mode = ''");
    const row = {
      id: '18446744073709551615',
      at: '2024-02-29 23:59:59.000001',
      day: '0000-00-00',
      price: '1.0000000001',
    };
    await db.query('INSERT INTO t SET ?', [row]);
    expect(await db.query('SELECT * FROM t')).toEqual([row]);
  });

  test('has the character set asked for', async () => {
    const sql = 'SELECT @@character_set_database AS charset';
    expect(await (await fresh()).query(sql)).toEqual([{ charset: 'utf8mb4' }]);
    expect(await (await fresh({ charset: 'latin1' })).query(sql)).toEqual([{ charset: 'latin1' }]);
  });

  test('says which server it is on', async () => {
    const db = await fresh();
    expect(db.serverKind === 'mariadb').toBe(db.version.includes('MariaDB'));
  });

  test('takes triggers from a limited account', async () => {
    const db = await fresh();
    await db.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const account = await createAccount(db, ['SELECT', 'TRIGGER ON t']);
    const connection = await account.connection();
    await connection.query('CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET NEW.id = NEW.id');
    await connection.end();
    expect(await db.query('SHOW TRIGGERS')).toHaveLength(1);
  });

  test('is dropped although a connection holds it in a transaction', async () => {
    const [db, other] = [await fresh(), await fresh()];
    await db.query('CREATE TABLE t (id INT PRIMARY KEY)');
    const forgotten = await db.connection();
    forgotten.on('error', () => {});
    await forgotten.beginTransaction();
    await forgotten.query('SELECT * FROM t');
    await db.drop();
    expect(await schemas(other, db.name)).toBe(0);
    forgotten.destroy();
  });

  test('cannot be had without a server, and the error says what to run', async () => {
    vi.stubEnv('TEST_DATABASE_URL', '');
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(createDatabase()).rejects.toThrow('npm test');
  });
});

describe('a limited account', () => {
  test('may do what it was granted and nothing else', async () => {
    const db = await fresh();
    await db.query('CREATE TABLE open_to_it (id INT)');
    await db.query('CREATE TABLE closed_to_it (id INT)');
    const account = await createAccount(db, ['SELECT, INSERT ON open_to_it']);
    const connection = await account.connection();
    await connection.query('INSERT INTO open_to_it VALUES (1)');
    await expect(connection.query('DELETE FROM open_to_it')).rejects.toMatchObject({ errno: 1142 });
    await expect(connection.query('SELECT * FROM closed_to_it')).rejects.toMatchObject({ errno: 1142 });
    await connection.end();
  });

  test('goes away with its database', async () => {
    const [db, other] = [await fresh(), await fresh()];
    const account = await createAccount(db, ['SELECT']);
    await db.drop();
    expect(await other.query('SELECT 1 FROM mysql.user WHERE User = ?', [account.user])).toEqual([]);
  });
});

describe('eventually', () => {
  test('gives the result of the first check that holds', async () => {
    let runs = 0;
    const check = async (): Promise<number> => {
      runs += 1;
      if (runs < 3) throw new Error('not yet');
      return runs;
    };
    expect(await eventually(check, { intervalMs: 1 })).toBe(3);
    expect(runs).toBe(3);
  });

  test('throws the last error when the time is up', async () => {
    let runs = 0;
    const check = (): void => {
      runs += 1;
      throw new Error(`failure ${runs}`);
    };
    const failure = await eventually(check, { timeoutMs: 30, intervalMs: 1 }).catch((error: unknown) => error);
    expect(failure).toEqual(new Error(`failure ${runs}`));
    expect(runs).toBeGreaterThan(1);
  });
});
