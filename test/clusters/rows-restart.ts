/** What is played on one server: restarts, and a switch to read-only. */
import { eventually } from '../support/eventually.ts';
import { factsOf, messageOf, type Outcome } from './report.ts';
import type { CarsDaemon, Scene } from './scene.ts';
import type { Server } from './server.ts';

/** What a row has to do with. */
export interface RestartStage {
  readonly server: Server;
  readonly scene: Scene;
  readonly daemon: CarsDaemon;
}

type Played = Omit<Outcome, 'name'>;

/** One row; the next one goes on from there. */
export interface RestartRow {
  readonly name: string;
  readonly play: (stage: RestartStage) => Promise<Played>;
}

/** All of them. */
export const RESTART: readonly RestartRow[] = [
  { name: 'server stopped and started under load', play: (stage) => restarted(stage, 'SIGTERM') },
  { name: 'server killed and started under load', play: (stage) => restarted(stage, 'SIGKILL') },
  { name: 'server switched to read-only and back under load', play: readOnly },
];

async function restarted(stage: RestartStage, signal: NodeJS.Signals): Promise<Played> {
  const { server, scene, daemon } = stage;
  const people = letInAt(stage, signal);
  await people.some(100);
  const before = daemon.said.length;
  const startedMs = performance.now();
  await server.stop(signal);
  const noticed = await heard(daemon, before, /DB_UNAVAILABLE/, startedMs);
  await server.start();
  await people.some(100);
  const met = await people.leave();
  const flaws = await scene.settle([server]);
  const refused = Object.keys(met.errors).filter((label) => label !== 'lost' && label !== '1053');
  if (refused.length > 0) flaws.push(`people met ${refused.join(', ')}`);
  if (noticed === undefined) flaws.push('the daemon did not say so');
  return { facts: [factsOf('people', met), noticed ?? ''], flaws };
}

async function readOnly(stage: RestartStage): Promise<Played> {
  const { server, scene, daemon } = stage;
  const people = letInAt(stage, 'read-only');
  await people.some(100);
  const before = daemon.said.length;
  const startedMs = performance.now();
  await server.ask('SET GLOBAL read_only = 1');
  const noticed = await heard(daemon, before, /DB_READ_ONLY/, startedMs);
  const health = await daemon.healthWith('DB_READ_ONLY');
  await server.ask('SET GLOBAL read_only = 0');
  await people.some(100);
  const met = await people.leave();
  const flaws = await scene.settle([server]);
  const other = Object.keys(met.errors).filter((label) => label !== '1290');
  if (other.length > 0) flaws.push(`people met ${other.join(', ')}`);
  if (noticed === undefined) flaws.push('the daemon did not say so');
  if (!health.includes('DB_READ_ONLY')) flaws.push(`its health was ${health}`);
  return { facts: [factsOf('people', met), noticed ?? ''], flaws };
}

/** What the daemon said, and after how long; undefined: nothing within 20 s. */
async function heard(
  { said }: CarsDaemon,
  before: number,
  what: RegExp,
  startedMs: number,
): Promise<string | undefined> {
  const line = await eventually(
    () => {
      const found = said.slice(before).find((one) => what.test(one));
      if (found === undefined) throw new Error('nothing said');
      return found;
    },
    { timeoutMs: 20_000 },
  ).catch(() => undefined);
  if (line === undefined) return undefined;
  return `the daemon after ${((performance.now() - startedMs) / 1000).toFixed(1)} s: ${messageOf(line)}`;
}

const letInAt = ({ server, scene }: RestartStage, name: string) => {
  const { user, password } = scene.accounts.host;
  const url = (): string => `mysql://${user}:${password}@127.0.0.1:${server.port}/`;
  return scene.letIn({ name, mark: `${name.slice(3, 5)}-`, url, emails: scene.emails, column: 's_website' });
};
