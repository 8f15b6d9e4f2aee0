/**
 * `npm run test:faults [-- --seed N] [--only TEXT]…`: plays every row of the host safety matrix, says what came of each, and
 * writes docs/reliability.md (on MySQL docs/reliability-mysql.md). With `--only` it plays the rows that have one of the texts in their
 * names, and writes nothing.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { commitHere } from '../../scripts/commit.js';
import { createDatabase } from '../support/database.ts';
import { reliabilityPage } from './page.ts';
import type { Outcome, Row, ServerKind } from './row.ts';
import { ROWS } from './rows.ts';
import { play } from './stage.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string', multiple: true, default: [] },
  },
});
const seed = Number(values.seed);
const { only } = values;
const isWanted = (name: string): boolean => only.length === 0 || only.some((text) => name.includes(text));
const outcomes: Outcome[] = [];
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`seed ${seed}`);
const server = await serverUsed();
const rows = ROWS.filter(({ name, on = server.kind }) => on === server.kind && isWanted(name));
for (const row of rows) {
  const outcome = await play(row, seed).catch((error: unknown) => unplayed(row, error));
  outcomes.push(outcome);
  const verdict = outcome.flaws.length === 0 ? 'ok  ' : 'FAIL';
  const noticed = outcome.noticedMs === null ? '' : `, noticed after ${Math.round(outcome.noticedMs)} ms`;
  const { statements, hostErrors, slowestMs, flaws } = outcome;
  print(`${verdict} ${row.name}: ${statements} statements, slowest ${Math.round(slowestMs)} ms${noticed}`);
  for (const line of [...flaws, ...hostErrors]) print(`       ${line}`);
}

/** The server that all rows are played on. */
async function serverUsed(): Promise<{ kind: ServerKind; name: string }> {
  const { serverKind: kind, version, drop } = await createDatabase();
  await drop();
  return { kind, name: `${kind === 'mariadb' ? 'MariaDB' : 'MySQL'} ${version}` };
}

/** A row that could not be played is none that holds. */
function unplayed({ name, impossible }: Row, error: unknown): Outcome {
  const flaws = [`could not be played: ${error instanceof Error ? error.message : String(error)}`];
  const nothing = { statements: 0, hostErrors: [], slowestMs: 0, noticedMs: null, said: '', compared: false };
  return { ...nothing, name, flaws, impossible };
}

if (only.length === 0) {
  const page = server.kind === 'mariadb' ? 'reliability.md' : 'reliability-mysql.md';
  writeFileSync(
    new URL(`../../docs/${page}`, import.meta.url),
    reliabilityPage(outcomes, { seed, server: server.name, commit: commitHere() }),
  );
}
if (rows.length === 0) print(`no row of this server has ${JSON.stringify(only)} in its name`);
process.exit(rows.length > 0 && outcomes.every(({ flaws }) => flaws.length === 0) ? 0 : 1);
