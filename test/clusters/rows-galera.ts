/** What is played on a Galera cluster of three nodes, with a daemon at each. */
import { setTimeout as wait } from 'node:timers/promises';
import { openSite } from '../../src/site/site.ts';
import { inTransaction } from '../../src/db/transaction.ts';
import { makeLeases } from '../../src/store/lease.ts';
import { openPool } from '../../src/db/pool.ts';
import { dropTriggers } from '../../src/capture/triggers.ts';
import { readState, writeState } from '../../src/store/state.ts';
import { eventually } from '../support/eventually.ts';
import { databaseConfig } from '../support/pool.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { Galera } from './galera.ts';
import { codesSaid, factsOf, messageOf, together, type Outcome } from './report.ts';
import type { Scene } from './scene.ts';
import { statusOf, type Server } from './server.ts';

/** One row; a scene with a daemon at each node goes on from the row before. */
export interface GaleraRow {
  readonly name: string;
  readonly play: (cluster: Galera, scene: Scene) => Promise<Omit<Outcome, 'name'>>;
}

const COLUMNS = ['s_website', 's_phone_land', 's_zip'] as const;

/** All of them, in the order in which they are played. */
export const GALERA: readonly GaleraRow[] = [
  { name: 'people on all three nodes and on the peer, each with accounts of their own', play: apart },
  { name: 'people on all three nodes and on the peer who edit the same accounts', play: sameRows },
  { name: 'a lease that another node took over fences what sleeps, without a lock over nodes', play: fencing },
  { name: 'a node cut off from the others says 1047, and its daemon waits', play: cutOff },
  { name: 'a node killed and rejoined, its daemon in use', play: killed },
  { name: 'one daemon behind a proxy that leads each connection to another node', play: spread },
  { name: 'triggers lost and made again while people are at work on all nodes', play: madeAgain },
];

type Played = Omit<Outcome, 'name'>;

async function apart({ nodes }: Galera, scene: Scene): Promise<Played> {
  const share = (index: number): string[] => scene.emails.filter((_, at) => at % 4 === index);
  const people = [
    ...nodes.map((node, index) => letInAt(scene, node, `apart ${node.name}`, share(index), index)),
    letInAtPeer(scene, 'apart homes', share(3)),
  ];
  const before = await conflicts(nodes);
  for (const one of people) await one.some(150);
  const met = together(await Promise.all(people.map((one) => one.leave())));
  const flaws = await scene.settle(nodes);
  if (Object.keys(met.errors).length > 0) flaws.push('people met errors though nobody else wrote their rows');
  return { facts: [factsOf('people', met), await since(before, nodes)], flaws };
}

async function sameRows({ nodes }: Galera, scene: Scene): Promise<Played> {
  const few = scene.emails.slice(0, 4);
  const people = [
    ...nodes.map((node, index) => letInAt(scene, node, `same ${node.name}`, few, index)),
    letInAtPeer(scene, 'same homes', few),
  ];
  const before = await conflicts(nodes);
  for (const one of people) await one.some(200);
  const met = together(await Promise.all(people.map((one) => one.leave())));
  const flaws = await scene.settle(nodes);
  const other = Object.keys(met.errors).filter((errno) => errno !== '1213');
  if (other.length > 0) flaws.push(`people met ${other.join(', ')}`);
  flaws.push(...unexpected(scene));
  return { facts: [factsOf('people', met), await since(before, nodes), saidBy(scene)], flaws };
}

/** Leases of 1.5 s, so that it need not take half a minute. */
async function fencing({ nodes: [one, two] }: Galera, scene: Scene): Promise<Played> {
  const at = async (node: Server | undefined) => {
    const site = await openSite(configAt(scene, node?.port ?? 0), { clock: { nowMs: () => Date.now() } });
    return { site, leases: makeLeases({ db: site.db, holder: node?.name ?? '', ttlMs: 1500 }) };
  };
  const [sleeper, other] = [await at(one), await at(two)];
  const flaws: string[] = [];
  let [tries, outcome] = [0, ''];
  try {
    const lease = await sleeper.leases.tryAcquire('test');
    await inTransaction(sleeper.site.db, async (trx) => {
      tries += 1;
      await writeState(trx, 'refeed:test', 'of the sleeper');
      await lease?.fence(trx);
      if (tries > 1) return;
      // Here it sleeps, its transaction open: elsewhere no lock of it is seen.
      const taken = await eventually(async () => {
        const got = await other.leases.tryAcquire('test');
        if (got === undefined) throw new Error('not yet');
        return got;
      });
      await inTransaction(other.site.db, async (theirs) => {
        await writeState(theirs, 'refeed:test', 'of the other');
        await taken.fence(theirs);
      });
    }).then(
      () => flaws.push('the sleeper could commit'),
      (error: unknown) => (outcome = String(error)),
    );
    const stored = await readState(other.site.db, 'refeed:test');
    if (stored !== 'of the other') flaws.push(`what stands is ${stored}`);
    if (!outcome.includes('took over')) flaws.push(`it ended with ${outcome}`);
    return { facts: [`the sleeper's commit was refused, and its try number ${tries} said: ${outcome}`], flaws };
  } finally {
    await sleeper.site.close();
    await other.site.close();
  }
}

async function cutOff({ nodes }: Galera, scene: Scene): Promise<Played> {
  const [one, , three] = nodes as [Server, Server, Server];
  const daemon = scene.daemons[2];
  const people = [
    letInAt(scene, one, 'cut node 1', scene.emails, 0),
    letInAt(scene, three, 'cut node 3', scene.emails, 2),
  ];
  const heard = daemon?.said.length ?? 0;
  await three.ask("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
  const startedMs = performance.now();
  const said = await hears(() => daemon?.said.slice(heard).find((line) => line.includes('1047')));
  const noticedMs = performance.now() - startedMs;
  const health = await daemon?.healthWith('"down"');
  await people[0]?.some(50);
  await three.ask("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'");
  await people[1]?.some(50);
  const met = await Promise.all(people.map((each) => each.leave()));
  const flaws = await scene.settle(nodes);
  if (said === undefined) flaws.push('the daemon at the node did not say so');
  if (health?.includes('"down"') !== true) flaws.push(`its health was ${health}`);
  const [near, far] = met;
  const facts =
    near === undefined || far === undefined ? [] : [factsOf('people at node 1', near), factsOf('at node 3', far)];
  return {
    facts: [...facts, `the daemon at node 3 after ${(noticedMs / 1000).toFixed(1)} s: ${messageOf(said)}`],
    flaws,
  };
}

async function killed(cluster: Galera, scene: Scene): Promise<Played> {
  const { nodes } = cluster;
  const [one, two, three] = nodes as [Server, Server, Server];
  const people = [one, two, three].map((node, index) => letInAt(scene, node, `kill ${node.name}`, scene.emails, index));
  for (const each of people) await each.some(20);
  await two.stop('SIGKILL');
  await people[0]?.some(100);
  await people[2]?.some(100);
  await cluster.rejoin(two);
  for (const each of people) await each.some(30);
  const met = await Promise.all(people.map((each) => each.leave()));
  const flaws = await scene.settle(nodes);
  const healths = await eventually(
    async () => {
      const all = await Promise.all(scene.daemons.map((daemon) => daemon.health()));
      if (!all.every((text) => text.includes('"database":{"status":"ok"'))) throw new Error(all.join('\n'));
      return all;
    },
    { timeoutMs: 90_000, intervalMs: 500 },
  ).catch((error: unknown) => void flaws.push(`not all daemons are back: ${String(error)}`));
  const names = ['node 1', 'node 2 (killed)', 'node 3'];
  const facts = met.map((each, index) => factsOf(names[index] ?? '', each));
  return { facts: [...facts, ...(healths === undefined ? [] : ['all daemons are well again', saidBy(scene)])], flaws };
}

async function spread({ nodes }: Galera, scene: Scene): Promise<Played> {
  let turn = 0;
  const proxy = await startTcpProxy(() => nodes[(turn += 1) % nodes.length]?.port ?? 0);
  const others = scene.daemons.map(({ daemon }) => daemon);
  // The others keep out of the way, so that all work is done through the proxy.
  await Promise.all(others.map((daemon) => daemon.stop('proxy')));
  try {
    const started = await scene.startDaemon(proxy.port);
    const people = [
      ...nodes.map((node, index) => letInAt(scene, node, `spread ${node.name}`, scene.emails, index)),
      letInAtPeer(scene, 'spread homes', scene.emails),
    ];
    for (const each of people) await each.some(150);
    const met = together(await Promise.all(people.map((each) => each.leave())));
    const flaws = await scene.settle(nodes);
    const facts = [factsOf('people', met), `${turn} connections were spread over three nodes`];
    flaws.push(...codesSaid(started.said, 'error').map((code) => `the daemon said ${code}`));
    await started.daemon.stop('over');
    return { facts, flaws };
  } finally {
    await proxy.close();
    for (const node of nodes) await scene.startDaemon(node.port);
  }
}

/** Nobody is deleted meanwhile: no comparison finds out who was. */
async function madeAgain({ nodes }: Galera, scene: Scene): Promise<Played> {
  const share = (index: number): string[] => scene.emails.filter((_, at) => at % 3 === index);
  const people = nodes.map((node, index) => letInAt(scene, node, `ddl ${node.name}`, share(index), index, true));
  for (const one of people) await one.some(20);
  const { user, password } = scene.accounts.daemon;
  const place = { host: '127.0.0.1', port: nodes[0]?.port ?? 0, user, password, name: scene.database };
  const pool = openPool(databaseConfig(place));
  const site = await openSite(configAt(scene, place.port), { clock: { nowMs: () => Date.now() } });
  const dropped = await dropTriggers(pool.db, site.snapshot().catalog);
  await site.close();
  await pool.close();
  const said = await hears(() =>
    scene.daemons.flatMap((one) => one.said).find((line) => line.includes('triggers were missing')),
  );
  for (const one of people) await one.some(30);
  const met = together(await Promise.all(people.map((one) => one.leave())));
  const flaws = await scene.settle(nodes);
  if (said === undefined) flaws.push('no daemon noticed');
  const other = Object.keys(met.errors).filter((errno) => errno !== '1213');
  if (other.length > 0) flaws.push(`people met ${other.join(', ')}`);
  return { facts: [factsOf('people', met), `${dropped} triggers dropped, and made again`], flaws };
}

const letInAt = (scene: Scene, node: Server, name: string, emails: readonly string[], index: number, stay = false) => {
  const { user, password } = scene.accounts.host;
  const url = (): string => `mysql://${user}:${password}@127.0.0.1:${node.port}/`;
  return scene.letIn({
    name,
    mark: `${name.slice(0, 2)}${index}-`,
    url,
    emails,
    column: COLUMNS[index] ?? 's_website',
    stay,
  });
};

const letInAtPeer = (scene: Scene, name: string, emails: readonly string[]) => {
  const { host, port, user, password, name: database } = scene.world.site('homes').db;
  const url = (): string => `mysql://${encodeURIComponent(user)}:${encodeURIComponent(password)}@${host}:${port}/`;
  return scene.letIn({ name, mark: `${name.slice(0, 2)}h-`, url, emails, column: 's_phone_mobile', database });
};

const configAt = (scene: Scene, port: number) => {
  const { config } = scene.world.site('cars');
  const { user, password } = scene.accounts.daemon;
  return { ...config, database: { ...config.database, port, user, password } };
};

/** Statements that the cluster refused, or ended for another node's. */
async function conflicts(nodes: readonly Server[]): Promise<{ failures: number; aborts: number }> {
  let [failures, aborts] = [0, 0];
  for (const node of nodes) {
    failures += Number(await statusOf(node, 'wsrep_local_cert_failures'));
    aborts += Number(await statusOf(node, 'wsrep_local_bf_aborts'));
  }
  return { failures, aborts };
}

async function since(before: { failures: number; aborts: number }, nodes: readonly Server[]): Promise<string> {
  const now = await conflicts(nodes);
  return `the cluster refused ${now.failures - before.failures} commits and ended ${now.aborts - before.aborts} transactions for one of another node`;
}

/** The first thing found within 20 s. */
async function hears(look: () => string | undefined): Promise<string | undefined> {
  for (let tries = 0; tries < 200; tries++) {
    const found = look();
    if (found !== undefined) return found;
    await wait(100);
  }
  return undefined;
}

const unexpected = (scene: Scene): string[] =>
  scene.daemons.flatMap(({ said }) => codesSaid(said, 'error')).map((code) => `a daemon said ${code}`);

const saidBy = (scene: Scene): string => {
  const codes = [...new Set(scene.daemons.flatMap(({ said }) => codesSaid(said, 'warn')))];
  return `the daemons said, to be tried again: ${codes.join(', ') || 'nothing'}`;
};
