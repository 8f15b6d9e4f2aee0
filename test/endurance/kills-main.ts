/** `npm run test:kills [-- --kills 200] [--seed N]`: see kills.ts. Exits with 0 if nothing was lost and nothing doubled. */
import { parseArgs } from 'node:util';
import { isGood, linesOf } from './end.ts';
import { playKills } from './kills.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (!Number.isInteger(kills) || kills < 1 || !Number.isInteger(seed)) {
  process.stderr.write('usage: npm run test:kills [-- --kills 200] [--seed N]: whole numbers\n');
  process.exit(2);
}
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`seed ${seed}: ${kills} kills of the daemons of three sites under writes`);
const startedMs = performance.now();
const killed = await playKills({ kills, seed, print });
print(`kills         ${killed.kills}, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
for (const line of linesOf(killed)) print(line);
print(`asked for a person ${killed.errors.length} times`);
for (const line of [...new Set(killed.errors)].slice(0, 20)) print(`    ${line}`);
process.exit(isGood(killed) && killed.errors.length === 0 ? 0 : 1);
