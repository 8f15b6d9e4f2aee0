/** The small part of the host safety matrix; `npm run test:faults -- --seed N` plays all of it. FAULTS_SEED repeats a run. */
import { describe, expect, it } from 'vitest';
import { ROWS } from '../faults/rows.ts';
import { play } from '../faults/stage.ts';

const SEED = Number(process.env['FAULTS_SEED'] ?? 20261121);

describe(`a site in use, its daemon, and (FAULTS_SEED=${SEED})`, () => {
  const rows = ROWS.filter(({ small }) => small === true);
  it.each(rows.map((row) => [row.name, row] as const))('%s', { timeout: 150_000 }, async (_, row) => {
    expect((await play(row, SEED)).flaws).toEqual([]);
  });
});
