/** `npm run test:soak [-- --minutes 30] [--seed N]`: see soak.ts. Exits with 0 if sites are equal and nothing grows. */
import { commitHere } from '../../scripts/commit.js';
import { isGood, linesOf } from './end.ts';
import { readNumbers } from './options.ts';
import { playSoak } from './soak.ts';

/** MiB per minute. */
const MOST_GROWTH = 1;
/** A shorter run is nothing but the warm-up of caches, compiled code and connections. */
const MINUTES_TO_JUDGE = 15;

const { minutes, seed } = readNumbers('test:soak', { minutes: 30, seed: 1 + (Date.now() % 1_000_000_000) });
const print = (line: string): void => void process.stdout.write(`${line}\n`);
print(`commit ${commitHere()}, seed ${seed}: three sites in use for ${minutes} minutes, with faults on`);
const soaked = await playSoak({ minutes, seed, print });
print(`happened      ${[...soaked.happened].map(([what, n]) => `${what} ${n}`).join(', ')}`);
for (const line of linesOf(soaked)) print(line);
for (const { site, first, last, most, samples, growthPerMinute } of soaked.memory) {
  const from = `${first.toFixed(1)} MiB after the warm-up, ${last.toFixed(1)} at the end, ${most.toFixed(1)} at most`;
  print(`memory        ${site}: ${from}; ${growthPerMinute.toFixed(3)} MiB/min over ${samples} samples`);
}
const bySite = new Map<string, string[]>();
for (const [name, n] of soaked.rows) {
  const [site = '', table = ''] = name.split(' ');
  bySite.set(site, [...(bySite.get(site) ?? []), `${table} ${n}`]);
}
for (const [site, tables] of bySite) print(`rows          ${site}: ${tables.join(', ')}`);
print(`asked for a person ${soaked.errors.length} times`);
for (const line of [...new Set(soaked.errors.map((text) => text.replace(/"time":"[^"]*",?/, '')))].slice(0, 10)) {
  print(`    ${line}`);
}
const isJudged = minutes >= MINUTES_TO_JUDGE;
if (!isJudged) print(`memory        not judged: that takes ${MINUTES_TO_JUDGE} minutes`);
const isFlat = !isJudged || soaked.memory.every(({ growthPerMinute }) => growthPerMinute < MOST_GROWTH);
if (!isFlat) print(`flaw          memory grows by more than ${MOST_GROWTH} MiB/min`);
process.exit(isGood(soaked) && isFlat ? 0 : 1);
