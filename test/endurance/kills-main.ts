/** `npm run test:kills [-- --kills 200] [--seed N]`: see kills.ts. Exits with 0 if nothing was lost and nothing doubled. */
import { commitHere } from '../../scripts/commit.js';
import { isGood, linesOf } from './end.ts';
import { playKills } from './kills.ts';
import { readNumbers } from './options.ts';

const { kills, seed } = readNumbers('test:kills', { kills: 200, seed: 1 + (Date.now() % 1_000_000_000) });
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`commit ${commitHere()}, seed ${seed}: ${kills} kills of the daemons of three sites under writes`);
const startedMs = performance.now();
const killed = await playKills({ kills, seed, print });
print(`kills         ${killed.kills}, in ${Math.round((performance.now() - startedMs) / 1000)} s`);
for (const line of linesOf(killed)) print(line);
print(`asked for a person ${killed.errors.length} times`);
for (const line of [...new Set(killed.errors)].slice(0, 20)) print(`    ${line}`);
process.exit(isGood(killed) && killed.errors.length === 0 ? 0 : 1);
