/** C5: values of every type of column are the same on both sites byte for byte, or it is reported. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { columnOf, COLUMN_TYPES, type ColumnType } from './cases/types.ts';
import { makeStage, type Row, type Stage } from './cases/stage.ts';

describe('values of every type', () => {
  let stage: Stage;
  let types: readonly ColumnType[];
  beforeAll(async () => {
    stage = await makeStage(['3.7', '8'], {
      idle: true,
      extra: { both: `columns: { custom: [${COLUMN_TYPES.map(columnOf).join(', ')}] }` },
    });
    const { serverKind } = stage.a.world.db;
    types = COLUMN_TYPES.filter(({ on }) => on === undefined || on === serverKind);
    const columns = types.map((type) => `ADD COLUMN ${columnOf(type)} ${type.type}`);
    for (const side of [stage.a, stage.b])
      await side.sql(`ALTER TABLE {user} ${columns.join(', ')}, ROW_FORMAT=DYNAMIC`);
    await stage.start();
  });
  afterAll(() => stage?.close());
  beforeEach(() => stage.begin());

  /** Addresses of users whose column is not the same on both sites, by the server's own comparison. */
  const differing = async ({ type }: ColumnType, column: string, domain: string): Promise<unknown[]> => {
    // As text, two floats that differ may look the same.
    const exact = /^(?:float|double)/.test(type) ? `a.${column} <=> b.${column}` : 'TRUE';
    const there = stage.b.world.db.name;
    const rows = await stage.a.sql(
      `SELECT a.s_email, HEX(a.${column}) AS here, HEX(b.${column}) AS there, a.${column} AS shown FROM {user} a
       LEFT JOIN \`${there}\`.oc_t_user b ON CONVERT(b.s_email USING utf8mb4) = CONVERT(a.s_email USING utf8mb4)
       WHERE a.s_email LIKE ? AND NOT (BINARY a.${column} <=> BINARY b.${column} AND ${exact} AND b.pk_i_id IS NOT NULL)`,
      [`%@${domain}`],
    );
    return rows.map((row: Row) => ({ ...row, shown: String(row['shown']) }));
  };

  it.each([...COLUMN_TYPES])('$type', async (type) => {
    if (!types.includes(type)) return;
    const column = columnOf(type);
    const domain = `${column}.example`;
    const values = [...type.values, 'NULL'];
    for (const [at, value] of values.entries()) {
      await stage.a.sql(
        `INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active, ${column})
         VALUES (NOW(), 'Ana', 'name-${column}-${at}', LEFT(SHA2('x', 256), 40), 'u${at}@${domain}', 1, ${value})`,
      );
    }
    await stage.sync();
    expect(await differing(type, column, domain)).toEqual([]);

    // The same as changes: each user gets the value of the next.
    for (const at of values.keys()) {
      const value = values[(at + 1) % values.length] ?? 'NULL';
      await stage.b.sql(`UPDATE {user} SET ${column} = ${value} WHERE s_email = 'u${at}@${domain}'`);
    }
    await stage.sync();
    expect(await differing(type, column, domain)).toEqual([]);
    expect([await stage.a.codes(), await stage.b.codes()]).toEqual([[], []]);
    expect([await stage.a.parked(), await stage.b.parked()]).toEqual([[], []]);
  });
});
