/** Plays the table of proofs: all cases and orders in one mesh, so that they share its sites. */
import type { UserRecord } from '../../../src/model/record.ts';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { createDatabase } from '../../support/database.ts';
import { createHost, type Host } from '../../support/osclass/host.ts';
import { makePhpPlugin, type PhpAccount } from '../../support/php-plugin/plugin.ts';
import type { Row } from '../../support/osclass/site.ts';
import { setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../../support/world.ts';
import type { Act, ProofCase } from './proof-table.ts';

/** A site of the mesh, whatever runs beside it. */
export interface MeshSite {
  readonly host: Host;
  /** Undefined: it runs the plugin. */
  readonly daemon: WorldSite | undefined;
  /** What its hooks see. */
  readonly acting: Host;
}

/** Three sites. */
export interface Mesh {
  readonly sites: readonly [MeshSite, MeshSite, MeshSite];
  readonly world: World;
  start(): Promise<void>;
  /** Sends from one site to another what there is. */
  send(from: number, to: number): Promise<void>;
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A case under one order of arrival. */
export interface Play {
  readonly one: ProofCase;
  readonly order: number;
  readonly email: string;
  /** What each site's account had for a password when it was last set there by a person. */
  readonly passwords: (string | undefined)[];
}

/** What came of it: by site. */
export interface Came {
  readonly rows: readonly (Row | undefined)[];
  /** Codes of what waits about the address. */
  readonly waiting: readonly (readonly string[])[];
  /** Names of what the sites do not agree on. */
  readonly differing: readonly string[];
}

type Pair = readonly [from: number, to: number];
const PAIRS: readonly Pair[] = [
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 2],
  [2, 0],
  [2, 1],
];

/** Who sends to whom first; later everything is sent. */
export const ORDERS: readonly (readonly Pair[])[] = [
  PAIRS,
  PAIRS.toReversed(),
  [1, 4, 2, 0, 5, 3].map((at) => PAIRS[at] as Pair),
];

/** One play of each case and order. */
export function playsOf(cases: readonly ProofCase[]): Play[] {
  return ORDERS.flatMap((_, order) =>
    cases.map((one, index) => ({ one, order, email: `case${index}.order${order}@example.com`, passwords: [] })),
  );
}

/** Makes all accounts, lets the sites meet in each order, does what is done later, and reads what came of it. */
export async function playAll(mesh: Mesh, plays: readonly Play[]): Promise<Map<Play, Came>> {
  await Promise.all(mesh.sites.map((site, at) => makeHolders(site, at, plays)));
  await mesh.start();
  for (const [order, pairs] of ORDERS.entries()) {
    const ofOrder = plays.filter((play) => play.order === order);
    for (const play of ofOrder) for (const act of play.one.first ?? []) await perform(mesh, play, act);
    await Promise.all(mesh.sites.map((site) => touch(site, ofOrder)));
    await sendAll(mesh, pairs);
    for (const play of ofOrder) for (const act of play.one.later ?? []) await perform(mesh, play, act);
    await sendAll(mesh, pairs);
  }
  return await readAll(mesh, plays);
}

/** The accounts of one site: some years old, and registered on other days than those of the others. */
async function makeHolders({ host }: MeshSite, at: number, plays: readonly Play[]): Promise<void> {
  for (const { one, email, passwords } of plays) {
    const holder = one.holders[at] ?? 'nobody';
    if (holder === 'nobody') continue;
    const form = { email, name: 'Ana' };
    await (holder.startsWith('proven') ? signUpAsOwner({ host }, form) : signUp({ host }, form));
    const newest = one.newest ?? one.holders.findIndex((other) => other !== 'nobody');
    await host.write('UPDATE {user} SET dt_reg_date = ?, dt_mod_date = ?, b_enabled = ? WHERE s_email = ?', [
      `202${at}-03-0${at + 4} 05:06:07`,
      at === newest ? '2025-01-02 03:04:05' : `2024-0${at + 1}-01 01:02:03`,
      holder.endsWith('blocked') ? 0 : 1,
      email,
    ]);
    passwords[at] = String((await host.user(email))?.s_password);
  }
}

/** Gives the accounts of a site something to be sent. */
async function touch({ host, acting, daemon }: MeshSite, plays: readonly Play[]): Promise<void> {
  const emails = plays.map(({ email }) => email);
  if (daemon !== undefined) {
    await host.write("UPDATE {user} SET s_zip = '28001' WHERE s_email IN (?)", [emails]);
    return;
  }
  // A plugin sees what is done by its forms only.
  for (const email of emails) {
    if ((await host.user(email)) !== undefined) await acting.person.editProfile(email, { zip: '28001' });
  }
}

async function perform({ sites }: Mesh, { email, passwords }: Play, { on, act }: Act): Promise<void> {
  const { acting, host } = sites[on] as MeshSite;
  const before = (await host.user(email))?.s_password;
  await act(acting, email);
  const after = (await host.user(email))?.s_password;
  if (after !== before && after !== undefined) passwords[on] = String(after);
}

async function sendAll(mesh: Mesh, pairs: readonly Pair[]): Promise<void> {
  for (const { daemon } of mesh.sites) if (daemon !== undefined) await drainAll(daemon);
  for (const [from, to] of pairs) await mesh.send(from, to);
  await mesh.settle();
}

async function readAll({ sites, world }: Mesh, plays: readonly Play[]): Promise<Map<Play, Came>> {
  const rows = await Promise.all(
    sites.map(
      async ({ host }) => new Map((await host.select('SELECT * FROM {user}')).map((row) => [row.s_email, row])),
    ),
  );
  const waiting = await Promise.all(sites.map(({ daemon }) => waitingBy(daemon)));
  const differences = Map.groupBy(await world.differences(), ({ email }) => email);
  return new Map(
    plays.map((play) => [
      play,
      {
        rows: rows.map((ofSite) => ofSite.get(play.email)),
        waiting: waiting.map((ofSite) => ofSite.get(play.email) ?? []),
        differing: (differences.get(play.email) ?? []).map(({ column }) => column),
      },
    ]),
  );
}

async function waitingBy(daemon: WorldSite | undefined): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (daemon === undefined) return found;
  const rows = await daemon.db.query<{ code: string; record: Buffer }>(
    'SELECT code, record FROM oc_account_sync_parked',
  );
  for (const { code, record } of rows) {
    const { email = '(removal)' } = JSON.parse(record.toString('utf8')) as Partial<UserRecord>;
    found.set(email, [...(found.get(email) ?? []), code]);
  }
  return found;
}

const NAMES = ['alpha', 'beta', 'gamma'];
const GUARD = 'guard: { removals: 100000, percent: 100 }';

/** A mesh of three daemons, not started: `alpha` and `beta` have addresses proved, `gamma` does not. */
export async function makeNativeMesh(entryOfGamma = ''): Promise<Mesh> {
  const extra = Object.fromEntries(NAMES.map((name) => [name, GUARD]));
  const world = await makeWorld(NAMES, {
    manual: true,
    idle: true,
    extra,
    peerExtra: { 'alpha.gamma': entryOfGamma, 'beta.gamma': entryOfGamma },
  });
  for (const { name, host } of world.sites) await setValidation(host, name !== 'gamma');
  return {
    sites: threeOf(world.sites.map(daemonSite)),
    world,
    start: () => startAll(world),
    send: (from, to) => deliverAll(world.sites[from] as WorldSite, world.sites[to]?.name),
    settle: () => settleByHand(world),
    close: () => world.close(),
  };
}

/** The same with `gamma` as a site that runs the plugin; each knows the other two. */
export async function makeMeshWithPlugin(): Promise<Mesh> {
  const db = await createDatabase();
  const host = await createHost(db, { name: 'gamma', locationOffset: 900 });
  const accounts: PhpAccount[] = [];
  const plugin = await makePhpPlugin(host, { apiKey: keyOf('gamma'), accounts });
  const entry = '    protocol: plugin\n    relay: true\n';
  const world = await makeWorld(['alpha', 'beta'], {
    manual: true,
    idle: true,
    peers: { alpha: ['beta', 'gamma'], beta: ['alpha', 'gamma'] },
    peerUrl: (_from, to, port) => (to === 'gamma' ? plugin.url : `http://127.0.0.1:${port}/`),
    peerExtra: { 'alpha.gamma': entry, 'beta.gamma': entry },
    extra: { alpha: GUARD, beta: GUARD },
  });
  for (const { name, url } of world.sites) accounts.push({ name, url, apiKey: keyOf(name) });
  for (const one of [host, ...world.sites.map((site) => site.host)]) await setValidation(one, true);
  const acting = { ...host, person: plugin.person, admin: plugin.admin };
  return {
    sites: threeOf([...world.sites.map(daemonSite), { host, acting, daemon: undefined }]),
    world,
    start: () => startAll(world),
    send: (from, to) => (from === 2 ? plugin.runCron() : deliverAll(world.sites[from] as WorldSite, NAMES[to])),
    async settle() {
      for (let round = 0; round < 20; round++) {
        await settleByHand(world);
        for (const { db: ours } of world.sites) {
          await ours.query('UPDATE oc_account_sync_seen SET changed_at = changed_at - INTERVAL 1 HOUR');
        }
        if (plugin.queue.users.size + plugin.queue.removals.size === 0) return;
        await plugin.runCron();
      }
      throw new Error('never silent');
    },
    async close() {
      await world.close();
      await plugin.close();
      await host.close();
      await db.drop();
    },
  };
}

const daemonSite = (daemon: WorldSite): MeshSite => ({ daemon, host: daemon.host, acting: daemon.host });

function threeOf([a, b, c]: readonly MeshSite[]): Mesh['sites'] {
  if (a === undefined || b === undefined || c === undefined) throw new Error('a mesh has three sites');
  return [a, b, c];
}

async function startAll(world: World): Promise<void> {
  for (const site of world.sites) await site.start();
  await scanAll(world);
}
