/** A Galera cluster on loopback. */
import { randomBytes } from 'node:crypto';
import { galeraLibrary, nobody } from '../../scripts/database/galera.js';
import { mariadbProgram } from '../../scripts/database/local.js';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../../scripts/free-port.js';
import { makeServer, statusOf, type Around, type Server } from './server.ts';

/** A node; with a port for the group beside that for clients. */
interface Node extends Server {
  readonly groupPort: number;
}

/** A running cluster. */
export interface Galera {
  readonly nodes: readonly Server[];
  /** Starts a node that was stopped or killed, and waits until it takes statements again. */
  rejoin(node: Server): Promise<void>;
}

/** Starts so many nodes, each of which takes over the data of the first; undefined where Galera cannot be had. */
export async function startGalera(around: Around, count: number): Promise<Galera | undefined> {
  const library = await galeraLibrary(around.say);
  const program = await mariadbProgram();
  if (library === undefined || program === undefined) return undefined;
  const common = { program, around, runAs: await nobody(), password: randomBytes(12).toString('hex') };
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  const members = ports.map((port) => `127.0.0.1:${port}`).join(',');
  const nodes: Node[] = [];
  for (const [index, groupPort] of ports.entries()) {
    const name = `node ${index + 1}`;
    const settings = await settingsOf({ name, groupPort, library });
    nodes.push(Object.assign(await makeServer(name, { ...common, settings }), { groupPort }));
  }
  const [first, ...others] = nodes as [Node, ...Node[]];
  const join = (node: Server): Promise<void> => node.start([`--wsrep-cluster-address=gcomm://${members}`]);
  await first.start(['--wsrep-new-cluster', '--wsrep-cluster-address=gcomm://']);
  await isReady(first);
  for (const node of others) {
    await join(node);
    await isReady(node);
  }
  return {
    nodes,
    async rejoin(node) {
      await join(node);
      await isReady(node);
    },
  };
}

async function isReady(node: Server): Promise<void> {
  await eventually(
    async () => {
      if ((await statusOf(node, 'wsrep_ready')) !== 'ON') throw new Error(`${node.name} is not ready`);
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}

interface Place {
  readonly name: string;
  readonly groupPort: number;
  readonly library: string;
}

/** Whoever creates triggers needs no SUPER; a node that joins copies the files of another. */
async function settingsOf({ name, groupPort, library }: Place): Promise<string[]> {
  const provider = [
    `gmcast.listen_addr=tcp://127.0.0.1:${groupPort}`,
    `base_port=${groupPort}`,
    `ist.recv_addr=127.0.0.1:${await freePort()}`,
    'gcache.size=32M',
  ];
  return [
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
    '--log-bin-trust-function-creators=1',
    '--wsrep-on=ON',
    `--wsrep-provider=${library}`,
    '--wsrep-cluster-name=account-sync-test',
    `--wsrep-node-name=${name.replace(' ', '-')}`,
    '--wsrep-node-address=127.0.0.1',
    '--wsrep-sst-method=rsync',
    `--wsrep-sst-receive-address=127.0.0.1:${await freePort()}`,
    `--wsrep-provider-options=${provider.join(';')}`,
  ];
}
