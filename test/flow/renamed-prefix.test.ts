/** Tables of Osclass that are renamed while the daemon runs: it says which table it misses, and where there are such tables. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeLogger } from '../../src/runtime/logger.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let said: Record<string, unknown>[];

beforeEach(async () => {
  said = [];
  const destination = { write: (line: string) => void said.push(JSON.parse(line) as Record<string, unknown>) };
  world = await makeWorld(['cars', 'homes'], { idle: true });
  cars = world.site('cars');
  await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await world.site('homes').start();
  await cars.start({ log: makeLogger({ level: 'info', destination }) });
  await world.settle(60_000);
}, 120_000);
afterEach(async () => {
  await world?.close();
});

const tablesOf = async (): Promise<string[]> =>
  (await cars.db.query('SHOW TABLES')).map((row) => String(Object.values(row)[0]));

/** In one statement, as plugins for that do it. */
async function rename(from: string, to: string, which: (table: string) => boolean): Promise<void> {
  const tables = (await tablesOf()).filter((table) => table.startsWith(from) && which(table));
  await cars.db.query(`RENAME TABLE ${tables.map((t) => `\`${t}\` TO \`${to}${t.slice(from.length)}\``).join(', ')}`);
  cars.host.site.prefix = to;
}

const errorsOf = (code: string): Record<string, unknown>[] =>
  said.filter((line) => line['code'] === code || (line['err'] as { code?: string } | undefined)?.code === code);

describe('with all tables of Osclass renamed while the daemon runs', { timeout: 240_000 }, () => {
  it.each([
    ['and ours left', (table: string) => !table.includes('account_sync')],
    ['and ours too', () => true],
  ])(
    '%s, it says that t_user is missing and which prefix there is, and goes on when they are back',
    async (_, which) => {
      said.length = 0;
      await rename('oc_', 'x_', which);
      await cars.host.person.editProfile('ana@example.com', { website: 'https://one.example.com' });
      await eventually(
        () => {
          const [first] = errorsOf('HOST_TABLE_MISSING');
          expect(first).toMatchObject({ err: { message: expect.stringContaining('oc_t_user') } });
          expect(first?.['remedy']).toMatch(/"x_".*database\.table_prefix.*account-sync install/);
        },
        { timeoutMs: 90_000 },
      );
      expect(errorsOf('HOST_CHANGED')).toEqual([]);
      expect((await fetch(new URL('health', cars.url))).status).toBe(503);
      // Nothing is made again under the old prefix.
      const left = (await tablesOf()).filter((table) => table.startsWith('oc_') && which(table));
      expect(left).toEqual([]);

      await rename('x_', 'oc_', () => true);
      await cars.host.person.editProfile('ana@example.com', { phoneMobile: '1' });
      await eventually(
        async () => {
          const rows = await world.site('homes').host.select('SELECT s_website, s_phone_mobile FROM {user}');
          expect(rows).toEqual([{ s_website: 'https://one.example.com', s_phone_mobile: '1' }]);
        },
        { timeoutMs: 90_000 },
      );
    },
  );

  it('where there is no other prefix either, it asks for the table and for the config', async () => {
    said.length = 0;
    await cars.db.query('RENAME TABLE oc_t_user TO old_users');
    await eventually(
      () => {
        const [first] = errorsOf('HOST_TABLE_MISSING');
        expect(first?.['remedy']).toMatch(/database\.name/);
        expect(first).toMatchObject({ err: { message: expect.stringContaining('oc_t_user') } });
      },
      { timeoutMs: 90_000 },
    );
    expect(errorsOf('HOST_CHANGED')).toEqual([]);
    await cars.db.query('RENAME TABLE old_users TO oc_t_user');
  });
});
