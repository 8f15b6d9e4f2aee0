/**
 * `npm run test:clusters [-- galera|replica|restart] [--seed N] [--only TEXT] [--smoke]`: servers of its own, several of
 * them, with sites in use on them; says what came of each row, and leaves nothing behind. `--smoke`: one short row of each
 * kind, to see whether it runs.
 */
import { parseArgs } from 'node:util';
import { commitHere } from '../../scripts/commit.js';
import { startGuard } from '../../scripts/start-guard.js';
import { playGalera, playReplica, playRestart } from './play.ts';
import type { Around } from './server.ts';
import { linesOf, type Outcome } from './report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string', default: '' },
    smoke: { type: 'boolean', default: false },
  },
});
/** A row of each kind that takes seconds. */
const SMOKE = { galera: 'behind a proxy', replica: 'MySQL: a daemon at the replica', restart: 'read-only' };
const KINDS = { galera: playGalera, replica: playReplica, restart: playRestart };
const wanted = positionals.length > 0 ? positionals : Object.keys(KINDS);
const unknown = wanted.filter((name) => !Object.hasOwn(KINDS, name));
const print = (line: string): void => void process.stdout.write(`${line}\n`);
if (unknown.length > 0) {
  print(`"${unknown.join(' ')}" is none of ${Object.keys(KINDS).join(', ')}`);
  process.exit(2);
}

const seed = Number(values.seed);
const guard = startGuard();
const around: Around = { later: guard.later, say: print };
const outcomes: Outcome[] = [];
const tell = (outcome: Outcome): void => {
  outcomes.push(outcome);
  for (const line of linesOf(outcome)) print(line);
};
print(`commit ${commitHere()}, seed ${seed}`);
try {
  for (const name of wanted as (keyof typeof KINDS)[]) {
    await KINDS[name]({ around, seed, only: values.smoke ? SMOKE[name] : values.only, tell });
  }
} catch (error) {
  tell({
    name: 'the run itself',
    facts: [],
    flaws: [error instanceof Error ? (error.stack ?? error.message) : String(error)],
  });
} finally {
  await guard.end();
}
const good = outcomes.filter(({ flaws }) => flaws.length === 0).length;
print(`${good} of ${outcomes.length} rows as they should be`);
const least = values.smoke ? wanted.length : 1;
process.exit(good === outcomes.length && good >= least ? 0 : 1);
