/** A source and its replica, by GTID: MySQL 9.7, or the MariaDB of this machine. */
import { randomBytes } from 'node:crypto';
import { mariadbProgram } from '../../scripts/database/local.js';
import { mysql9Program } from '../../scripts/database/mysql9.js';
import { eventually } from '../support/eventually.ts';
import { makeServer, type Around, type Server } from './server.ts';

/** The kinds that are played. */
export type Kind = 'mysql' | 'mariadb';

/** Two servers; which of them is the source changes. */
export interface Pair {
  readonly kind: Kind;
  readonly source: Server;
  readonly replica: Server;
  /** Waits until the replica has everything. */
  caughtUp(): Promise<void>;
  /** The replica receives nothing more, as when the line is cut; it goes on with what it has. */
  cut(): Promise<void>;
  /** The replica becomes a server that is written to. `forget`: it forgets whose replica it was. */
  promote(forget?: boolean): Promise<void>;
  /** The source takes no writes any more, from nobody but root. */
  demote(): Promise<void>;
}

const COMMON = ['--log-bin=binlog', '--binlog-format=ROW', '--sync-binlog=0'];
const SETTINGS = {
  mysql: [...COMMON, '--gtid-mode=ON', '--enforce-gtid-consistency=ON'],
  mariadb: [...COMMON, '--log-slave-updates=ON', '--gtid-strict-mode=ON', '--log-bin-trust-function-creators=1'],
} as const;

const READ_ONLY = {
  mysql: ['SET GLOBAL super_read_only = 1'],
  mariadb: ['SET GLOBAL read_only = 1'],
} as const;

const WRITABLE = {
  mysql: ['SET GLOBAL super_read_only = 0', 'SET GLOBAL read_only = 0'],
  mariadb: ['SET GLOBAL read_only = 0'],
} as const;

/** Starts both, the replica read-only and replicating; undefined where the programs cannot be had. */
export async function startPair(around: Around, kind: Kind): Promise<Pair | undefined> {
  const program = await (kind === 'mysql' ? mysql9Program(around.say) : mariadbProgram()).catch(() => undefined);
  if (program === undefined) return undefined;
  const make = (name: string, id: number): Promise<Server> =>
    makeServer(name, {
      program,
      around,
      password: randomBytes(12).toString('hex'),
      settings: [...SETTINGS[kind], `--server-id=${id}`],
    });
  const [source, replica] = [await make('source', 11), await make('replica', 12)];
  await source.start();
  await replica.start();
  for (const one of [source, replica]) {
    await one.ask(
      ...(kind === 'mysql' ? ['RESET BINARY LOGS AND GTIDS'] : ['RESET MASTER', "SET GLOBAL gtid_slave_pos = ''"]),
    );
  }
  const { host, port, user, password } = source.login();
  const [to, as] = [`'${host}'`, `'${user}'`];
  await replica.ask(
    ...(kind === 'mysql'
      ? [
          `CHANGE REPLICATION SOURCE TO SOURCE_HOST = ${to}, SOURCE_PORT = ${port}, SOURCE_USER = ${as},
             SOURCE_PASSWORD = '${password}', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1`,
          'START REPLICA',
        ]
      : [
          `CHANGE MASTER TO MASTER_HOST = ${to}, MASTER_PORT = ${port}, MASTER_USER = ${as},
             MASTER_PASSWORD = '${password}', MASTER_USE_GTID = slave_pos`,
          'START REPLICA',
        ]),
    ...READ_ONLY[kind],
  );
  const position = kind === 'mysql' ? '@@GLOBAL.gtid_executed' : '@@GLOBAL.gtid_binlog_pos';
  const read = async (server: Server, what: string): Promise<string> =>
    String((await server.ask(`SELECT ${what} AS at`))[0]?.['at'] ?? '');
  return {
    kind,
    source,
    replica,
    async caughtUp() {
      await eventually(
        async () => {
          const [wanted, there] = [
            await read(source, position),
            await read(replica, kind === 'mysql' ? position : '@@GLOBAL.gtid_slave_pos'),
          ];
          if (wanted !== there) throw new Error(`the replica is at ${there}, the source at ${wanted}`);
        },
        { timeoutMs: 30_000, intervalMs: 100 },
      );
    },
    cut: async () => void (await replica.ask('STOP REPLICA IO_THREAD')),
    async promote(forget = true) {
      await replica.ask('STOP REPLICA', ...(forget ? ['RESET REPLICA ALL'] : []), ...WRITABLE[kind]);
    },
    demote: async () => void (await source.ask(...READ_ONLY[kind])),
  };
}
