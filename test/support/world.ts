/**
 * Several sites on the test server: a simulated Osclass each, and a daemon beside it, talking real HTTP.
 *
 *     const world = await makeWorld(['cars', 'homes', 'jobs']);
 *     const cars = world.site('cars');
 *     await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
 *     await world.settle();                 // until nothing waits anywhere
 *     expect(await world.differences()).toEqual([]);
 *     await world.close();
 */
import { createHash } from 'node:crypto';
import { publicHalf, type SigningKey } from '../../src/model/signing-key.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { startDaemon, type Daemon, type DaemonOptions, type OpenSite } from '../../src/daemon/daemon.ts';
import { silentLog, type Log } from '../../src/runtime/logger.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { eventually } from './eventually.ts';
import { withoutGuard } from './guard.ts';
import { freePort } from '../../scripts/free-port.js';
import { compareHosts, createHost, type Host, type HostOptions } from './osclass/host.ts';

/** A site of a test world. */
export interface WorldSite {
  readonly name: string;
  readonly db: TestDatabase;
  readonly host: Host;
  readonly config: Config;
  readonly url: string;
  readonly adminToken: string;
  /** Runs now; undefined while stopped. */
  daemon: Daemon | undefined;
  /** Starts the daemon and waits until its loops run. */
  start(options?: Partial<DaemonOptions>): Promise<OpenSite>;
  stop(): Promise<void>;
  /** The open site of the running daemon. */
  open(): Promise<OpenSite>;
  /** Calls the API of the site as administrator; gives the parsed answer. */
  admin(method: string, path: string, body?: unknown): Promise<{ status: number; body: Answer }>;
}

/** A JSON answer, loosely typed for tests. */
export type Answer = Record<string, unknown> & { logs?: Record<string, unknown>[] };

/** How a world is made. */
export interface WorldOptions {
  /** Which peers each site has; all others unless given. */
  readonly peers?: Readonly<Record<string, readonly string[]>>;
  /** YAML lines added to a site's config, at top level. */
  readonly extra?: Readonly<Record<string, string>>;
  /** The sites have the guard that the program has unless told otherwise; else none but for removals. */
  readonly defaultGuard?: boolean;
  /** Further keys of a site's `site` entry: `priority: 1`. */
  readonly siteExtra?: Readonly<Record<string, string>>;
  /** Further keys of a site's `http` entry: `max_body: 64KiB`. */
  readonly httpExtra?: Readonly<Record<string, string>>;
  /** YAML lines added to a peer entry: `cars.homes` is the entry for homes in the config of cars. */
  readonly peerExtra?: Readonly<Record<string, string>>;
  readonly hosts?: Readonly<Record<string, HostOptions>>;
  readonly log?: Log;
  /** Another address for a peer: a proxy between the two. */
  readonly peerUrl?: (from: string, to: string, port: number) => string;
  /** Another port for the database of a site's daemon: a proxy in front of the server. */
  readonly databasePort?: (site: string, port: number) => number;
  /** URL of another server than the one that all tests have, by site. */
  readonly servers?: Readonly<Record<string, string>>;
  /** Daemons repeat nothing by themselves. */
  readonly manual?: boolean;
  /** All sites sign their calls, and have each other's public keys. */
  readonly signatures?: boolean;
  /** Daemons are not started. */
  readonly idle?: boolean;
}

/** Sites that know each other. */
export interface World {
  readonly sites: readonly WorldSite[];
  site(name: string): WorldSite;
  /** Waits until no queue and no outbox of a running daemon holds anything. */
  settle(timeoutMs?: number): Promise<void>;
  /** What differs between the hosts; empty when they are equal. */
  differences(): ReturnType<typeof compareHosts>;
  close(): Promise<void>;
}

/** The key by which a site identifies itself. */
export const keyOf = (site: string): string => `${site}-${digestOf(`the key of ${site}`)}`;
/** The pair that a site signs with in worlds with `signatures`. */
export const signingKeyOf = (site: string): SigningKey =>
  createHash('sha256').update(`signing key of ${site}`).digest('base64') as SigningKey;
/** The admin token of a site. */
export const tokenOf = (site: string): string => `${site}-${digestOf(`the token of ${site}`)}`;

/** What cannot be guessed, and is the same each time. */
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 40);

/** Makes sites and starts their daemons. Leaves nothing behind when it throws. */
export async function makeWorld(names: readonly string[], options: WorldOptions = {}): Promise<World> {
  const ports = new Map<string, number>();
  for (const name of names) ports.set(name, await freePort());
  const sites: WorldSite[] = [];
  const world: World = {
    sites,
    site(name) {
      const found = sites.find((site) => site.name === name);
      if (found === undefined) throw new Error(`no site ${name}`);
      return found;
    },
    async settle(timeoutMs = 20_000) {
      await eventually(() => expectNothingWaits(sites), { timeoutMs });
    },
    differences: () => compareHosts(sites.map((site) => site.host)),
    async close() {
      await Promise.all(sites.map((site) => site.stop()));
      for (const site of sites) {
        await site.host.close();
        await site.db.drop();
      }
    },
  };
  try {
    for (const name of names) sites.push(await makeSite(name, names, ports, options));
    if (options.idle !== true) await Promise.all(sites.map((site) => site.start()));
  } catch (error) {
    await world.close();
    throw error;
  }
  return world;
}

/** One statement for all sites, so that nothing can slip from one to the other between two looks. */
async function expectNothingWaits(sites: readonly WorldSite[]): Promise<void> {
  const running = sites.filter((site) => site.daemon !== undefined);
  const first = running[0];
  if (first === undefined) return;
  const counts = running.map(
    ({ name, db }) => `
    SELECT '${name}' AS name, (SELECT COUNT(*) FROM \`${db.name}\`.oc_account_sync_queue) AS markers,
      (SELECT COUNT(*) FROM \`${db.name}\`.oc_account_sync_outbox WHERE state = 'w') AS entries`,
  );
  const rows = await first.db.query<{ name: string; markers: string; entries: string }>(counts.join(' UNION ALL '));
  const waiting = rows.filter((row) => Number(row.markers) > 0 || Number(row.entries) > 0);
  if (waiting.length > 0) throw new Error(`still waiting: ${JSON.stringify(waiting)}`);
}

async function makeSite(
  name: string,
  names: readonly string[],
  ports: ReadonlyMap<string, number>,
  options: WorldOptions,
): Promise<WorldSite> {
  const db = await createDatabase({ server: options.servers?.[name] });
  const host = await createHost(db, { name, ...options.hosts?.[name] }).catch(async (error: unknown) => {
    await db.drop();
    throw error;
  });
  const peers = options.peers?.[name] ?? names.filter((other) => other !== name);
  const text = configText(name, db, peers, ports, options);
  const { config } = parseConfig(text, `${name}.yaml`, {}, () => '');
  const url = `http://127.0.0.1:${ports.get(name)}/`;
  const site: WorldSite = {
    name,
    db,
    host,
    config,
    url,
    adminToken: tokenOf(name),
    daemon: undefined,
    async start(extra = {}) {
      site.daemon = await startDaemon({
        config,
        log: options.log ?? silentLog,
        manual: options.manual ?? false,
        ...extra,
      });
      return site.daemon.ready;
    },
    async stop() {
      const { daemon } = site;
      site.daemon = undefined;
      await daemon?.stop('test');
    },
    async open() {
      if (site.daemon === undefined) throw new Error(`${name} is stopped`);
      return site.daemon.ready;
    },
    async admin(method, path, body) {
      const response = await fetch(new URL(path, url), {
        method,
        headers: {
          authorization: `Bearer ${tokenOf(name)}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Answer };
    },
  };
  return site;
}

function configText(
  name: string,
  db: TestDatabase,
  peers: readonly string[],
  ports: ReadonlyMap<string, number>,
  options: WorldOptions,
): string {
  const entries = peers.map(
    (peer) => `
  - name: ${peer}
    url: ${options.peerUrl?.(name, peer, ports.get(peer) ?? 0) ?? `http://127.0.0.1:${ports.get(peer)}/`}
    ${options.signatures === true ? `public_key: ${publicHalf(signingKeyOf(peer))}` : `api_key: ${keyOf(peer)}`}
${options.peerExtra?.[`${name}.${peer}`] ?? ''}`,
  );
  return `
site: { name: ${name}, url: "https://${name}.example.com/", api_key: ${keyOf(name)}, ${options.signatures === true ? `signing_key: ${signingKeyOf(name)}, ` : ''}${options.siteExtra?.[name] ?? ''} }
database: { host: ${db.host}, port: ${options.databasePort?.(name, db.port) ?? db.port}, user: ${db.user}, password: ${JSON.stringify(db.password)}, name: ${db.name} }
http: { host: 127.0.0.1, port: ${ports.get(name)}, admin_token: ${tokenOf(name)}, ${options.httpExtra?.[name] ?? ''} }
${options.defaultGuard === true ? (options.extra?.[name] ?? '') : withoutGuard(options.extra?.[name] ?? '')}
peers:${entries.length === 0 ? ' []' : entries.join('')}
`;
}
