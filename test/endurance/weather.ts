/** Everything that goes wrong around daemons, at random: their databases, the way between them, and one of themselves. */
import { setTimeout as wait } from 'node:timers/promises';
import { startFaultProxy, type FaultProxy, type HttpFault } from '../support/fault-proxy.ts';
import { makeRandom } from '../support/osclass/random.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import type { DaemonProcess } from './daemon-process.ts';

/** Proxies around the sites, through which all is well until told otherwise. */
export interface Weather {
  /** Port that stands for the database of a site. */
  databasePort(site: string, port: number): number;
  /** Address that stands for a peer. */
  peerUrl(from: string, to: string, port: number): string;
  /** Bad weather until told to stop. `mortal`: the one daemon that is killed, stopped and paused too. */
  turn(mortal: MortalDaemon): void;
  /** Resolves when all is well again. */
  clear(): Promise<void>;
  /** How often each thing happened. */
  readonly happened: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** A daemon that may die: how to get at it, and how to start it again. */
export interface MortalDaemon {
  readonly now: () => DaemonProcess;
  readonly restart: () => Promise<unknown>;
}

const HTTP_FAULTS: readonly HttpFault[] = ['refuse', 'lose-answer', 'twice', 'unavailable'];
/** Requests that go wrong on an ordinary day, and while it storms. */
const [DRIZZLE, STORM] = [0.02, 0.6];
/** Mean time between two events. */
const EVERY_MS = 6_000;

/** Starts the proxies between all sites of these names. */
export async function makeWeather(names: readonly string[], seed: string): Promise<Weather> {
  const random = makeRandom(`${seed}/weather`);
  const over = new AbortController();
  const happened = new Map<string, number>();
  const count = (what: string): void => void happened.set(what, (happened.get(what) ?? 0) + 1);
  let trouble = 0;
  let realPort = 0;
  const ports = new Map<string, number>();
  const databases = new Map<string, TcpProxy>();
  const ways = new Map<string, FaultProxy>();
  const fault = (): HttpFault => {
    if (!random.chance(trouble)) return 'none';
    const what = random.pick(HTTP_FAULTS);
    count(`request: ${what}`);
    return what;
  };
  for (const from of names) {
    databases.set(from, await startTcpProxy(() => realPort));
    for (const to of names) {
      if (to !== from)
        ways.set(`${from} ${to}`, await startFaultProxy(() => `http://127.0.0.1:${ports.get(to)}/`, fault));
    }
  }
  const pause = (ms: number): Promise<unknown> => wait(ms, undefined, { signal: over.signal }).catch(() => undefined);

  const EVENTS: Readonly<Record<string, (mortal: MortalDaemon) => Promise<unknown>>> = {
    'database cut off': async () => {
      const proxy = databases.get(random.pick(names));
      proxy?.become('shut');
      await pause(200 + random.next() * 2_000);
      proxy?.become('open');
    },
    'database silent': async () => {
      const proxy = databases.get(random.pick(names));
      proxy?.become('stalled');
      await pause(500 + random.next() * 4_000);
      proxy?.become('open');
    },
    'network storm': async () => {
      trouble = STORM;
      await pause(1_000 + random.next() * 4_000);
      trouble = DRIZZLE;
    },
    'daemon killed': async (mortal) => {
      await mortal.now().end('SIGKILL');
      await pause(random.next() * 3_000);
      await mortal.restart();
    },
    'daemon stopped': async (mortal) => {
      await mortal.now().end('SIGTERM');
      await mortal.restart();
    },
    'daemon paused': async (mortal) => {
      mortal.now().pause();
      await pause(random.next() * 15_000);
      mortal.now().resume();
    },
  };
  const storm = async (mortal: MortalDaemon): Promise<void> => {
    trouble = DRIZZLE;
    while (!over.signal.aborted) {
      await pause(random.next() * 2 * EVERY_MS);
      if (over.signal.aborted) break;
      const [what, happen] = random.pick(Object.entries(EVENTS));
      count(what);
      await happen(mortal);
    }
    trouble = 0;
  };
  let storming: Promise<void> = Promise.resolve();
  return {
    databasePort(site, port) {
      realPort = port;
      return databases.get(site)?.port ?? port;
    },
    peerUrl(from, to, port) {
      ports.set(to, port);
      return ways.get(`${from} ${to}`)?.url ?? '';
    },
    turn(mortal) {
      storming = storm(mortal);
    },
    async clear() {
      over.abort();
      await storming;
    },
    happened,
    async close() {
      await Promise.all([...databases.values(), ...ways.values()].map((proxy) => proxy.close()));
    },
  };
}
