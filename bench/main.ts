/**
 * `npm run bench [-- NAME …] [--users N] [--rounds N] [--smoke] [--json]`: measures the goals for speed and size, each
 * beside its baseline and interleaved with it, prints a table and writes bench/result.json (`--smoke`: bench/smoke.json). What
 * was measured before and not now stays in that file, so that goals can be measured one by one.
 */
import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { commitHere } from '../scripts/commit.js';
import { createDatabase } from '../test/support/database.ts';
import { feed } from './feed.ts';
import { holds, lines, median } from './figures.ts';
import type { BenchOptions, Goal } from './goal.ts';
import { byPeers, byUsers } from './grow.ts';
import { away, growth } from './growth.ts';
import { hostCost } from './host-cost.ts';
import { idle } from './idle.ts';
import { install } from './install.ts';
import { keepResult, type Machine, type MeasuredGoal } from './result.ts';
import { latency } from './latency.ts';
import { stream } from './stream.ts';

const GOALS: readonly Goal[] = [feed, stream, latency, hostCost, install, idle, growth, away, byUsers, byPeers];
const ROOT = new URL('..', import.meta.url).pathname;

process.exit(await main(process.argv.slice(2)));

async function main(args: string[]): Promise<number> {
  const wanted = read(args);
  if (typeof wanted === 'string') {
    console.error(`${wanted}\nusage: npm run bench [-- NAME …] [--users N] [--rounds N] [--smoke] [--json]`);
    console.error(GOALS.map(({ name, title }) => `  ${name.padEnd(5)} ${title}`).join('\n'));
    return 2;
  }
  const { goals, options, json } = wanted;
  // The daemons are run in the form that the image has.
  execFileSync(process.execPath, ['node_modules/rolldown/bin/cli.mjs', '--config', 'rolldown.config.ts'], {
    cwd: ROOT,
  });
  const machine = await machineOf();
  const done: MeasuredGoal[] = [];
  for (const goal of goals) {
    options.say(`${goal.name}: ${goal.title}`);
    const figures = await goal.run(options);
    done.push({
      name: goal.name,
      title: goal.title,
      date: new Date().toISOString(),
      machine,
      figures: figures.map((figure) => ({ ...figure, median: median(figure.rounds), holds: holds(figure) ?? null })),
    });
    // After each: a run of hours that ends early has measured something.
    keepResult(done, options.smoke);
    if (!json) console.log(lines(figures, options).join('\n'));
  }
  if (json) console.log(JSON.stringify({ goals: done }, null, 2));
  return 0;
}

function read(args: string[]): { goals: Goal[]; options: BenchOptions; json: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        users: { type: 'string' },
        rounds: { type: 'string' },
        smoke: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const unknown = positionals.find((name) => GOALS.every((goal) => goal.name !== name));
    if (unknown !== undefined) return `no benchmark "${unknown}"`;
    const [users, rounds] = [values.users, values.rounds].map((text) =>
      text === undefined ? undefined : Number(text),
    );
    for (const [flag, n] of Object.entries({ users, rounds })) {
      if (n !== undefined && !(Number.isInteger(n) && n > 0)) return `--${flag} wants a number above 0`;
    }
    const { smoke, json } = values;
    const options = { users, rounds: rounds ?? (smoke ? 1 : 5), smoke, say: (line: string) => console.error(line) };
    const goals = GOALS.filter((goal) => positionals.length === 0 || positionals.includes(goal.name));
    return { goals, options, json };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function machineOf(): Promise<Machine> {
  const database = await createDatabase();
  const { version } = database;
  await database.drop();
  const [cpu] = cpus();
  return {
    commit: commitHere(),
    node: process.version,
    database: version,
    cores: cpus().length,
    processor: cpu?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
  };
}
