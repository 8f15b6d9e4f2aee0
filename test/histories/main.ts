/**
 * Random histories of several sites, in memory: `npm run test:histories -- --runs 10000 --seed 1`. Every history that
 * does not end well is shortened and printed. `--only N`: the history of that seed alone, shortened and told.
 * `--forgets 3`: every third request is thrown away, to see that this is noticed.
 */
import { parseArgs } from 'node:util';
import { redirectSql } from './redirect.ts';

redirectSql();
const { drawHistory } = await import('./operation.ts');
const { runHistory } = await import('./run.ts');
const { kindOf, shrink } = await import('./shrink.ts');

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    most: { type: 'string', default: '3' },
    forgets: { type: 'string', default: '0' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const show = async (seed: number): Promise<void> => {
  const history = await shrink(drawHistory(seed, Number(values.forgets)));
  const { topology, relay, batch, isPrivate } = history;
  const sites = history.sites.map(({ name, skewMs, priority }) => `${name} (${skewMs} ms, priority ${priority})`);
  print(
    `--- seed ${seed}: ${topology}${relay ? ', relaying' : ''}${isPrivate ? ', own addresses' : ''}, batches of ${batch}: ${sites.join(', ')}`,
  );
  const { flaw } = await runHistory(history, (line) => print(line()));
  print(`=== ${flaw ?? 'ended well'}\n`);
};

if (values.only !== undefined) {
  await show(Number(values.only));
} else {
  const first = Number(values.seed);
  const runs = Number(values.runs);
  const failed: number[] = [];
  let contested = 0;
  const kinds = new Map<string, number[]>();
  const begun = performance.now();
  for (let seed = first; seed < first + runs; seed++) {
    const { flaw, contested: isContested } = await runHistory(drawHistory(seed, Number(values.forgets)));
    if (isContested) contested += 1;
    if (flaw === undefined) continue;
    const kind = kindOf(flaw);
    kinds.set(kind, [...(kinds.get(kind) ?? []), seed]);
    failed.push(seed);
    if (failed.length <= Number(values.most)) await show(seed);
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(
    `${runs} histories from seed ${first} in ${seconds} s: ${failed.length} failed, ${contested} needed a person to decide about an address`,
  );
  if (failed.length > 0) {
    for (const [kind, seeds] of kinds) print(`${seeds.length} × ${kind}: ${seeds.slice(0, 20).join(' ')}`);
    process.exitCode = 1;
  }
}
