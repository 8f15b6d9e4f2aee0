/** Two sites: cars on servers of its own, with as many daemons as one likes, and homes on the server that all tests have. */
import { setTimeout as wait } from 'node:timers/promises';
import { RIGHTS } from '../../src/capture/rights.ts';
import { startDaemon, type Daemon } from '../../src/daemon/daemon.ts';
import { makeLogger, type Log } from '../../src/runtime/logger.ts';
import { createAccount } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../../scripts/free-port.js';
import { compareSites, readUsers, type Difference } from '../support/osclass/compare.ts';
import { hostConnection } from '../support/osclass/site.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { makeWorld, type World } from '../support/world.ts';
import { makeLedger, type Ledger } from './ledger.ts';
import { letIn, type People, type PeopleOptions } from './people.ts';
import type { Server } from './server.ts';

/** How long sites may take to become equal after the last thing happened: a loop may be waiting for a minute. */
const SETTLE_MS = 150_000;

/** A daemon of cars. */
export interface CarsDaemon {
  readonly url: string;
  readonly daemon: Daemon;
  /** What it said, from `warn` on, and when it works again. */
  readonly said: readonly string[];
  health(): Promise<string>;
  /** Waits up to 10 s until its health says this; gives what it says then. */
  healthWith(text: string): Promise<string>;
}

/** What a row has to do with. */
export interface Scene {
  readonly world: World;
  /** Name of cars' database. */
  readonly database: string;
  readonly emails: readonly string[];
  readonly ledger: Ledger;
  /** An account without SUPER for the site, and one for its daemons with the rights that `install` prints. */
  readonly accounts: { readonly host: Login; readonly daemon: Login };
  readonly daemons: readonly CarsDaemon[];
  /** Starts a daemon of cars that connects to this port; rejects as the daemon does. */
  startDaemon(databasePort: number): Promise<CarsDaemon>;
  /** The same, and resolves at once; whether it can start is another question. `as`: with another account. */
  tryDaemon(databasePort: number, as?: Login): Promise<CarsDaemon>;
  /** What differs between these servers and homes now. */
  differences(servers: readonly Server[]): Promise<Difference[]>;
  letIn(
    options: Pick<PeopleOptions, 'name' | 'mark' | 'url' | 'emails' | 'column'> & { database?: string; stay?: boolean },
  ): People;
  /** homes takes over the users that there are. */
  feed(): Promise<void>;
  /** Waits until all these servers and homes have the same users, and gives what the ledger says is wrong then. */
  settle(servers: readonly Server[]): Promise<string[]>;
  close(): Promise<void>;
}

interface Login {
  readonly user: string;
  readonly password: string;
}

/** With `users` accounts on cars, none of which homes has yet. `server` is where cars is made. */
export async function makeScene(server: Server, seed: number, users = 30): Promise<Scene> {
  const daemons: CarsDaemon[] = [];
  let turn = 0;
  // Peers reach a site with several daemons through something that spreads their calls.
  const front = await startTcpProxy(() => {
    turn += 1;
    const alive = daemons.filter(({ daemon }) => !daemon.lifecycle.isStopping());
    return Number(new URL(alive[turn % alive.length]?.url ?? 'http://127.0.0.1:9/').port);
  });
  const guard = 'guard: { removals: 100000 }';
  const world = await makeWorld(['cars', 'homes'], {
    idle: true,
    servers: { cars: server.url() },
    extra: { cars: guard, homes: guard },
    peerUrl: (_, to, port) => `http://127.0.0.1:${to === 'cars' ? front.port : port}/`,
  });
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  await cars.host.seed.users({ seed, count: users, firstId: 1, allActive: true });
  const emails = await cars.db.query<{ s_email: string }>('SELECT s_email FROM oc_t_user');
  const [daemonLogin, hostLogin] = [
    await createAccount(cars.db, [RIGHTS.join(', ')]),
    await createAccount(cars.db, ['ALL PRIVILEGES']),
  ];
  await homes.start();
  const ledger = makeLedger();

  const tryDaemon = async (port: number, { user, password }: Login = daemonLogin): Promise<CarsDaemon> => {
    const said: string[] = [];
    const daemon = await startDaemon({
      config: {
        ...cars.config,
        http: { ...cars.config.http, port: await freePort() },
        database: { ...cars.config.database, port, user, password },
      },
      log: logInto(said),
    });
    daemon.ready.catch(() => undefined);
    const health = async (): Promise<string> =>
      await fetch(new URL('health', daemon.url), { signal: AbortSignal.timeout(8_000) }).then((one) => one.text());
    const healthWith = async (text: string): Promise<string> => {
      let last = '';
      const look = async (): Promise<void> => {
        last = await health();
        if (!last.includes(text)) throw new Error(last);
      };
      await eventually(look, { intervalMs: 100 }).catch(() => undefined);
      return last;
    };
    const started = { url: daemon.url, daemon, said, health, healthWith };
    daemons.push(started);
    return started;
  };
  return {
    world,
    ledger,
    daemons,
    tryDaemon,
    database: cars.db.name,
    emails: emails.map(({ s_email: email }) => email),
    accounts: { daemon: daemonLogin, host: hostLogin },
    async startDaemon(port) {
      const started = await tryDaemon(port);
      await started.daemon.ready;
      return started;
    },
    letIn: (options) => letIn({ database: cars.db.name, ...options, ledger, seed }),
    async feed() {
      const { status } = await homes.admin('POST', '/v1/peers/cars/feed', {});
      if (status >= 300) throw new Error(`the feed was refused: ${status}`);
      await settle([server], world, ledger, cars.db.name);
    },
    differences: (servers) => comparing(servers, world, cars.db.name, async (compare) => await compare()),
    settle: (servers) => settle(servers, world, ledger, cars.db.name),
    close: () => close(world, daemons, front),
  };
}

function logInto(said: string[]): Log {
  return makeLogger({
    level: 'info',
    destination: {
      write(line: string) {
        if (/"level":"(?:warn|error)"|works again/.test(line)) said.push(line);
      },
    },
  });
}

/** Runs `work` with a way to compare these servers and homes. */
async function comparing<T>(
  servers: readonly Server[],
  world: World,
  database: string,
  work: (compare: () => Promise<Difference[]>) => Promise<T>,
): Promise<T> {
  const homes = { name: 'homes', connection: world.site('homes').host.db };
  const sites = await Promise.all(
    servers.map(async (one) => ({
      name: one.name,
      connection: await hostConnection({ ...one.login(), name: database }),
    })),
  );
  try {
    return await work(() => compareSites([...sites, homes]));
  } finally {
    for (const { connection } of sites) connection.destroy();
  }
}

async function settle(servers: readonly Server[], world: World, ledger: Ledger, database: string): Promise<string[]> {
  const differing = await comparing(servers, world, database, async (compare) => {
    const areEqual = async (): Promise<void> => {
      const differences = await compare();
      if (differences.length > 0) throw new Error(JSON.stringify(differences.slice(0, 2)));
    };
    return await eventually(areEqual, { timeoutMs: SETTLE_MS, intervalMs: 500 }).then(
      () => [],
      (error: unknown) => [`not equal in the end: ${String(error)}`],
    );
  });
  return [...differing, ...ledger.flaws((await readUsers(world.site('homes').host.db)).users)];
}

/** The servers of cars are thrown away; what is on the other one goes. */
async function close(world: World, daemons: readonly CarsDaemon[], front: TcpProxy): Promise<void> {
  await Promise.all(daemons.map(({ daemon }) => Promise.race([daemon.stop('over'), wait(15_000)])));
  const [cars, homes] = [world.site('cars'), world.site('homes')];
  cars.host.db.destroy();
  await Promise.race([cars.db.drop().catch(() => undefined), wait(5_000)]);
  await homes.stop();
  await homes.host.close();
  await homes.db.drop();
  await front.close();
}
