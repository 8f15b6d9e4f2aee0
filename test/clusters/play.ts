/** Plays rows: servers first, then a scene on them, then one row after the other. */
import { randomBytes } from 'node:crypto';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { startGalera } from './galera.ts';
import type { Outcome } from './report.ts';
import { startPair, type Kind } from './replication.ts';
import { GALERA } from './rows-galera.ts';
import { mariadbProgram } from '../../scripts/database/local.js';
import { RESTART } from './rows-restart.ts';
import { REPLICA, type ReplicaRow } from './rows-replica.ts';
import { makeScene } from './scene.ts';
import { makeServer, type Around, type Server } from './server.ts';

/** What a run was asked for. */
export interface Run {
  readonly around: Around;
  readonly seed: number;
  /** Only rows whose name holds this. */
  readonly only: string;
  readonly tell: (outcome: Outcome) => void;
}

/** All rows on one cluster, with one scene. */
export async function playGalera({ around, seed, only, tell }: Run): Promise<void> {
  const rows = GALERA.filter(({ name }) => name.includes(only));
  if (rows.length === 0) return;
  const cluster = await startGalera(around, 3);
  if (cluster === undefined) return tell({ name: 'Galera', facts: [], flaws: ['cannot be had on this machine'] });
  const [first] = cluster.nodes as [Server];
  const scene = await makeScene(first, seed);
  try {
    // At once: all of them install, and one of them is first.
    await Promise.all(cluster.nodes.map((node) => scene.startDaemon(node.port)));
    await scene.feed();
    for (const { name, play } of rows) tell({ name, ...(await play(cluster, scene)) });
  } finally {
    await scene.close();
    for (const node of cluster.nodes) await node.stop('SIGKILL');
  }
}

/** Each row on servers and with a scene of its own, of both kinds. */
export async function playReplica(run: Run): Promise<void> {
  for (const kind of ['mysql', 'mariadb'] as const) {
    for (const row of REPLICA) {
      const name = `${kind === 'mysql' ? 'MySQL' : 'MariaDB'}: ${row.name}`;
      if (name.includes(run.only)) run.tell({ name, ...(await playOnPair(run, kind, row)) });
    }
  }
}

async function playOnPair({ around, seed }: Run, kind: Kind, row: ReplicaRow): Promise<Omit<Outcome, 'name'>> {
  const pair = await startPair(around, kind);
  if (pair === undefined) return { facts: [], flaws: [`${kind} cannot be had on this machine`] };
  let now = pair.source;
  const proxy = await startTcpProxy(() => now.port);
  const scene = await makeScene(pair.source, seed);
  try {
    const daemon = await scene.startDaemon(proxy.port);
    await scene.feed();
    await pair.caughtUp();
    const leadTo = (server: Server): void => void (now = server);
    return await row.play({ pair, scene, proxy, daemon, leadTo });
  } finally {
    await scene.close();
    await proxy.close();
    for (const server of [pair.source, pair.replica]) await server.stop('SIGKILL');
  }
}

/** All rows on one server, with one scene. */
export async function playRestart({ around, seed, only, tell }: Run): Promise<void> {
  const rows = RESTART.filter(({ name }) => name.includes(only));
  const program = await mariadbProgram();
  if (rows.length === 0) return;
  if (program === undefined) return tell({ name: 'MariaDB', facts: [], flaws: ['cannot be had on this machine'] });
  const server = await makeServer('server', { program, around, password: randomBytes(12).toString('hex') });
  await server.start();
  const scene = await makeScene(server, seed);
  try {
    const daemon = await scene.startDaemon(server.port);
    await scene.feed();
    for (const { name, play } of rows) tell({ name, ...(await play({ server, scene, daemon })) });
  } finally {
    await scene.close();
    await server.stop('SIGKILL');
  }
}
