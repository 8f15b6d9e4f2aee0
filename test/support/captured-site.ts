/**
 * A simulated Osclass with the daemon's work on it, called by hand: for tests of what is captured.
 *
 *     const cars = await capturedSite();                 // installed, baseline done, nothing waits
 *     await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
 *     await cars.drainAll();
 *     await cars.outbox();                               // ['homes user 1', 'jobs user 1']
 */
import { onTestFinished } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { Ident } from '../../src/db/catalog.ts';
import { readMarkers, type Marker } from '../../src/store/markers.ts';
import { readShadows, usersByUid, type StoredUser } from '../../src/store/shadows.ts';
import { formatStamp } from '../../src/model/stamp.ts';
import type { Uid } from '../../src/model/uid.ts';
import type { SiteOptions } from '../../src/site/site-options.ts';
import { openSite, type Site } from '../../src/site/site.ts';
import { createDatabase, type TestDatabase } from './database.ts';
import { createHost, type Host, type HostOptions } from './osclass/host.ts';
import { OWN, type OwnNames } from './own-tables.ts';

interface Login {
  readonly user: string;
  readonly password: string;
}

/** What kind of site; all may be left out. */
export interface CapturedOptions extends Partial<SiteOptions> {
  readonly host?: HostOptions;
  /** Names of its peers; nobody listens there. */
  readonly peers?: readonly string[];
  /** YAML of `peers` in place of them. */
  readonly peerList?: string;
  /** YAML lines added to the config. */
  readonly extra?: string;
  /** Account of the daemon; root unless given. */
  readonly account?: Login | ((database: TestDatabase) => Promise<Login>);
  /** False: nothing is installed yet. */
  readonly install?: boolean;
  /** What happens on the site before the installation. */
  readonly before?: (host: Host) => Promise<unknown>;
  /** What is done to its database before that. */
  readonly prepare?: (database: TestDatabase) => Promise<unknown>;
}

/** A site whose daemon does what the test calls. */
export interface CapturedSite {
  readonly database: TestDatabase;
  readonly host: Host;
  readonly site: Site;
  /** The site opened once more, as a second process would. */
  readonly again: (options?: Partial<SiteOptions>) => Promise<Site>;
  readonly install: () => Promise<void>;
  /** All pages of a baseline or re-scan; the number of users found changed. */
  readonly scanAll: () => Promise<number>;
  /** Passes until the queue is empty; the users that changed. */
  readonly drainAll: () => Promise<number[]>;
  readonly markers: () => Promise<Marker[]>;
  /** `peer kind ref` of each entry, sorted. */
  readonly outbox: () => Promise<string[]>;
  /** Takes everything out of the outboxes, as confirmed deliveries would. */
  readonly deliverAll: () => Promise<void>;
  /** Throws if nothing is known of the user. */
  readonly stored: (userId: number) => Promise<StoredUser>;
  /** Text form of the stamp of one register. */
  readonly stamp: (userId: number, register: string) => Promise<string>;
  readonly userOf: (uid: Uid) => Promise<number | undefined>;
  /** Rows of tombstones: uid in hex and stamp, by removal. */
  readonly tombstones: () => Promise<{ removal: string; uid: string; stamp: string }[]>;
  /** All rows of a table of ours, in comparable form. */
  readonly rows: (table: keyof OwnNames) => Promise<string[]>;
}

/** For use inside a test: it is gone when the test is over. */
export async function capturedSite(options: CapturedOptions = {}): Promise<CapturedSite> {
  const {
    host: hostOptions = {},
    peers = ['homes', 'jobs'],
    extra = '',
    account,
    install = true,
    before,
    prepare,
  } = options;
  const entries = peers.map(
    (peer) => `\n  - { name: ${peer}, url: "http://127.0.0.1:1/", api_key: ${peer}-key-0123456789-abcdefghij }`,
  );
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  const host = await createHost(database, { name: 'cars', ...hostOptions });
  onTestFinished(() => host.close());
  await prepare?.(database);
  await before?.(host);
  const { user, password } = (typeof account === 'function' ? await account(database) : account) ?? database;
  const text = `
site: { name: cars, url: "https://cars.example.com/", api_key: cars-key-0123456789-abcdefghij }
database: { host: ${database.host}, port: ${database.port}, user: ${user}, password: "${password}", name: ${database.name} }
${extra}
peers:${options.peerList ?? (entries.join('') || ' []')}
`;
  const { config } = parseConfig(text, 'cars.yaml', {}, () => '');
  const again = async (more: Partial<SiteOptions> = {}): Promise<Site> => {
    const opened = await openSite(config, { clock: { nowMs: Date.now }, ...options, ...more });
    onTestFinished(() => opened.close());
    return opened;
  };
  const site = await again();
  const { db } = site;
  const stored = async (userId: number): Promise<StoredUser> => {
    const found = (await readShadows(db, [userId])).get(userId);
    if (found === undefined) throw new Error(`nothing is known of user ${userId}`);
    return found;
  };

  const captured: CapturedSite = {
    database,
    host,
    site,
    again,
    async install() {
      await installOnce(db, site.snapshot().catalog, { mode: config.capture.mode });
    },
    async scanAll() {
      let changed = 0;
      while (await site.isScanPending()) changed += (await site.scanPage())?.changed ?? 0;
      return changed;
    },
    async drainAll() {
      const changed: number[] = [];
      for (let done = 1; done > 0;) {
        const pass = await site.drain();
        changed.push(...pass.changed);
        done = pass.done;
      }
      return changed;
    },
    markers: () => readMarkers(db, 1_000_000),
    async outbox() {
      const rows = await database.query<{ peer: string; kind: string; ref: string }>(
        `SELECT peer, kind, ref FROM ${OWN.outbox} ORDER BY peer, kind, ref`,
      );
      return rows.map(({ peer, kind, ref }) => `${peer} ${kind === 'u' ? 'user' : 'removal'} ${ref}`);
    },
    async deliverAll() {
      await database.query(`DELETE FROM ${OWN.outbox}`);
    },
    stored,
    async stamp(userId, register) {
      const state = (await stored(userId)).shadow.registers.get(register);
      if (state === undefined) throw new Error(`no register ${register}`);
      return formatStamp(state.stamp);
    },
    userOf: async (uid) => (await usersByUid(db, [uid])).get(uid),
    tombstones: () =>
      database.query(`SELECT HEX(removal) AS removal, HEX(uid) AS uid, stamp FROM ${OWN.tombstone} ORDER BY 1, 2`),
    rows: (table) => rowsOf(database, OWN[table]),
  };
  if (install) {
    await captured.install();
    await captured.scanAll();
  }
  return captured;
}

/** Each row as JSON, bytes in hex, sorted. */
export async function rowsOf(database: TestDatabase, table: Ident): Promise<string[]> {
  const rows = await database.query(`SELECT * FROM \`${table}\``);
  return rows
    .map((row) => JSON.stringify(Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))))
    .toSorted();
}

function plain(value: unknown): unknown {
  return Buffer.isBuffer(value) ? value.toString('hex') : value;
}
