/**
 * Random histories of two daemons and a site with the PHP plugin, in memory:
 * `npm run test:plugin-histories -- --runs 500 --seed 1`. Every history that does not end well is shortened and told.
 * `--only N`: the history of that seed alone.
 */
import { parseArgs } from 'node:util';
import { redirectSql } from './redirect.ts';
import { drawPluginHistory, type PluginHistory } from './plugin/operation.ts';

redirectSql();
const { playPluginHistory } = await import('./plugin/play.ts');

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
    only: { type: 'string' },
    most: { type: 'string', default: '3' },
  },
});
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const kindOf = (flaw: string | undefined): string =>
  (flaw ?? '').split('\n')[0]?.replaceAll(/[\d-]+|\S*@\S*/g, 'N') ?? '';

/** The shortest that still goes wrong in the same way. */
const shorten = async (history: PluginHistory): Promise<PluginHistory> => {
  const kind = kindOf(await playPluginHistory(history));
  let best = history;
  for (let before = -1; before !== best.operations.length;) {
    before = best.operations.length;
    for (let span = Math.max(1, before >> 1); span >= 1; span >>= 1) {
      for (let at = best.operations.length - span; at >= 0; at -= span) {
        const candidate = { ...best, operations: best.operations.toSpliced(at, span) };
        if (kindOf(await playPluginHistory(candidate)) === kind) best = candidate;
      }
    }
  }
  const calm = { ...best, trouble: 0 };
  return kindOf(await playPluginHistory(calm)) === kind ? calm : best;
};

const show = async (seed: number): Promise<boolean> => {
  const history = drawPluginHistory(seed);
  if ((await playPluginHistory(history)) === undefined) return true;
  print(`--- seed ${seed}`);
  print(`=== ${await playPluginHistory(await shorten(history), print)}\n`);
  return false;
};

if (values.only !== undefined) {
  if (await show(Number(values.only))) print(`the history of seed ${values.only} ended well`);
  else process.exitCode = 1;
} else {
  const [first, runs] = [Number(values.seed), Number(values.runs)];
  const failed: number[] = [];
  for (let seed = first; seed < first + runs; seed++) {
    const flaw = await playPluginHistory(drawPluginHistory(seed));
    if (flaw === undefined) continue;
    if (failed.push(seed) <= Number(values.most)) await show(seed);
  }
  const seeds = failed.length === 0 ? '' : ` (seeds ${failed.slice(0, 20).join(', ')})`;
  print(`${runs} histories with a plugin from seed ${first}: ${failed.length} failed${seeds}`);
  if (failed.length > 0) process.exitCode = 1;
}
