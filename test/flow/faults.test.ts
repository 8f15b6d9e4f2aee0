/** The small part of the host safety matrix; `npm run test:faults -- --seed N` plays all of it. FAULTS_SEED repeats a run. */
import { describe, expect, it } from 'vitest';
import type { ServerKind } from '../faults/row.ts';
import { ROWS } from '../faults/rows.ts';
import { play } from '../faults/stage.ts';
import { createDatabase } from '../support/database.ts';

const SEED = Number(process.env['FAULTS_SEED'] ?? 20261121);

async function serverKind(): Promise<ServerKind> {
  const database = await createDatabase();
  await database.drop();
  return database.serverKind;
}

describe(`a site in use, its daemon, and (FAULTS_SEED=${SEED})`, () => {
  const rows = ROWS.filter(({ small }) => small === true);
  it.for(rows)('$name', { timeout: 150_000 }, async (row, { skip }) => {
    if (row.on !== undefined && row.on !== (await serverKind())) skip(`needs ${row.on}`);
    expect((await play(row, SEED)).flaws).toEqual([]);
  });
});
