/**
 * `npm run render:performance [-- --smoke]`: writes the figures of bench/result.json into docs/performance.md, between its
 * marks, and draws docs/growth.svg. What was not measured stands there as such. `--smoke`: writes what bench/smoke.json holds
 * to stdout, and no file.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { inDigits, median } from '../bench/figures.ts';
import { readResult, type BenchResult, type MeasuredGoal } from '../bench/result.ts';
import { growthChart } from './growth-chart.ts';

const PAGE = new URL('../docs/performance.md', import.meta.url);
const CHART = new URL('../docs/growth.svg', import.meta.url);

/** The names under which docs/performance.md has a place for figures. */
const PLACES = ['goals', 'growth'] as const;

/** The page with the figures as measured. */
export function renderPerformance(page: string, { goals }: BenchResult): string {
  const isGrowth = ({ name }: MeasuredGoal): boolean => name === 'users' || name === 'peers';
  const parts = { goals: goals.filter((goal) => !isGrowth(goal)), growth: goals.filter(isGrowth) };
  return PLACES.reduce((text, place) => {
    const begin = `<!-- begin ${place}: written by "npm run render:performance" -->`;
    const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- end ${place} -->`)];
    if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${place}`);
    return `${text.slice(0, from + begin.length)}\n${tableOf(parts[place])}\n${text.slice(to)}`;
  }, page);
}

function tableOf(goals: readonly MeasuredGoal[]): string {
  if (goals.length === 0) return '\nNot measured yet.\n';
  const rows = goals.flatMap(({ figures }) =>
    figures.map(({ what, unit, rounds, limit, holds }) => {
      const spread = rounds.length > 1 ? `${inDigits(Math.min(...rounds))} … ${inDigits(Math.max(...rounds))}` : '';
      const bound = limit === undefined ? '' : 'atMost' in limit ? `≤ ${limit.atMost}` : `≥ ${limit.atLeast}`;
      const verdict = holds === null ? '' : holds ? 'holds' : '**missed**';
      return `| ${what} | ${inDigits(median(rounds))} ${unit} | ${spread} | ${bound} | ${verdict} |`;
    }),
  );
  const on = new Set(
    goals.map(({ date, machine: { commit, node, database, cores, processor, memoryGiB } }) =>
      `${date.slice(0, 10)}, commit \`${commit}\`, ${cores} cores ${processor}, ${memoryGiB} GiB, Node ${node}, server ${database}`.replaceAll(
        /\s+/g,
        ' ',
      ),
    ),
  );
  return [
    '',
    '| what | median | spread | limit | |',
    '|---|---|---|---|---|',
    ...rows,
    '',
    ...[...on].map((line) => `Measured: ${line}.`),
    '',
  ].join('\n');
}

if (import.meta.main) {
  const { smoke } = parseArgs({ options: { smoke: { type: 'boolean', default: false } } }).values;
  const { goals } = readResult(smoke);
  if (goals.length === 0) {
    process.stderr.write(`Nothing was measured: "npm run bench${smoke ? ' -- --smoke' : ''}" first.\n`);
    process.exit(1);
  }
  const page = renderPerformance(readFileSync(PAGE, 'utf8'), { goals });
  const chart = growthChart(goals.flatMap(({ figures }) => figures));
  if (smoke) process.stdout.write(`${page}${chart}`);
  else {
    writeFileSync(PAGE, page);
    writeFileSync(CHART, chart);
  }
}
