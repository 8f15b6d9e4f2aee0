/**
 * `npm run test:faults [-- --seed N] [--only TEXT]`: plays every row of the host safety matrix, says what came of each, and
 * writes docs/reliability.md (on MySQL docs/reliability-mysql.md).
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commitHere } from '../../scripts/commit.js';
import { createDatabase } from '../support/database.ts';
import { reliabilityPage } from './page.ts';
import type { Outcome, Row } from './row.ts';
import { ROWS } from './rows.ts';
import { play } from './stage.ts';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: String(Date.now() % 1_000_000_000) }, only: { type: 'string' } },
});
const seed = Number(values.seed);
const only = values.only ?? '';
const outcomes: Outcome[] = [];
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`seed ${seed}`);
for (const row of ROWS.filter(({ name }) => name.includes(only))) {
  const outcome = await play(row, seed).catch((error: unknown) => unplayed(row, error));
  outcomes.push(outcome);
  const verdict = outcome.flaws.length === 0 ? 'ok  ' : 'FAIL';
  const noticed = outcome.noticedMs === null ? '' : `, noticed after ${Math.round(outcome.noticedMs)} ms`;
  const { statements, hostErrors, slowestMs, flaws } = outcome;
  print(`${verdict} ${row.name}: ${statements} statements, slowest ${Math.round(slowestMs)} ms${noticed}`);
  for (const line of [...flaws, ...hostErrors]) print(`       ${line}`);
}

/** A row that could not be played is none that holds. */
function unplayed({ name, impossible }: Row, error: unknown): Outcome {
  const flaws = [`could not be played: ${error instanceof Error ? error.message : String(error)}`];
  const nothing = { statements: 0, hostErrors: [], slowestMs: 0, noticedMs: null, said: '', compared: false };
  return { ...nothing, name, flaws, impossible };
}

if (only === '') {
  const database = await createDatabase();
  const server = `${database.serverKind === 'mariadb' ? 'MariaDB' : 'MySQL'} ${database.version}`;
  await database.drop();
  const page = database.serverKind === 'mariadb' ? 'reliability.md' : 'reliability-mysql.md';
  writeFileSync(
    new URL(`../../docs/${page}`, import.meta.url),
    reliabilityPage(outcomes, { seed, server, commit: commitHere() }),
  );
}
process.exit(outcomes.every(({ flaws }) => flaws.length === 0) ? 0 : 1);
