/** A peer whose key is right and whose content is hostile, and the site that it is after. */
import type { WireRecord, UserRecord } from '../../src/model/record.ts';
import type { GuardClass } from '../../src/model/guard.ts';
import { uidOfEmail, type Uid } from '../../src/model/uid.ts';
import { scanAll } from './by-hand.ts';
import { keyOf, makeWorld, type World, type WorldOptions, type WorldSite } from './world.ts';

/** What was answered. */
export interface Said {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly code: string | undefined;
  readonly results: { result: string; code?: string }[];
}

/** A site with users, and peers of it that are nothing but a name and a key. */
export interface Target {
  readonly world: World;
  readonly cars: WorldSite;
  /** Addresses of its users. */
  readonly emails: readonly string[];
  /** What is in the database of its user of that address. */
  user(email: string): Promise<Record<string, unknown> | undefined>;
  /** How many users have that value. */
  count(column: string, value: string): Promise<number>;
  /** By class, in and out. */
  held(peer: string): Promise<Record<GuardClass, number>>;
}

/** Makes it, with the guard that a site has by default. */
export async function makeTarget(
  users: number,
  peers: readonly string[],
  options: Pick<WorldOptions, 'extra' | 'peerExtra' | 'manual'> = {},
): Promise<Target> {
  const world = await makeWorld(['cars', ...peers], { manual: true, idle: true, defaultGuard: true, ...options });
  const cars = world.site('cars');
  const seeded = await cars.host.seed.users({ seed: 'target', count: users, allActive: true });
  await cars.start();
  await scanAll({ ...world, sites: [cars] });
  return {
    world,
    cars,
    emails: seeded.map(({ email }) => email),
    user: (email) => cars.host.user(email),
    async count(column, value) {
      const rows = await cars.db.query<{ n: string }>(`SELECT COUNT(*) AS n FROM oc_t_user WHERE ${column} = ?`, [
        value,
      ]);
      return Number(rows[0]?.n);
    },
    async held(peer) {
      const { body } = await cars.admin('GET', `/v1/peers/${peer}`);
      return body['held_by_class'] as Record<GuardClass, number>;
    },
  };
}

/** Sends records as that peer. */
export async function stream({ url }: WorldSite, peer: string, records: readonly WireRecord[]): Promise<Said> {
  const response = await fetch(new URL('v1/stream', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf(peer)}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: peer, records }),
  });
  const answer = (await response.json()) as { code?: string; results?: Said['results'] };
  const { status, headers } = response;
  return { status, retryAfter: headers.get('retry-after'), code: answer.code, results: answer.results ?? [] };
}

/** Later than all that was there. */
const now = (site: string): string => `${Date.now()}-1-100-${site}`;

const BORN_MS = Date.now();
const born = new Map<string, string>();

/** When its account of that address came to be: the same in every record. */
export function bornOf(peer: string, email: string): string {
  const key = `${peer} ${email}`;
  const known = born.get(key) ?? `${BORN_MS}-${born.size + 1}-100-${peer}`;
  born.set(key, known);
  return known;
}

/**
 * A record of the user of that address, with registers as that peer would have set them just now, and the address as proved there:
 * of a native peer that is believed.
 */
export function recordOf(
  peer: string,
  email: string,
  registers: Readonly<Record<string, Readonly<Record<string, string>>>>,
  { uid = uidOfEmail(email) }: { readonly uid?: Uid } = {},
): UserRecord {
  const stamp = now(peer);
  return {
    kind: 'user',
    uids: [uid],
    email,
    born: bornOf(peer, email),
    proof: { site: peer, at: Date.now() },
    registers: Object.fromEntries(
      Object.entries(registers).map(([register, values]) => [register, { stamp, values: { ...values } }]),
    ),
  };
}

/** The removal of users of these addresses, by one record. */
export function removalOf(peer: string, ...emails: readonly string[]): WireRecord {
  return { kind: 'removal', uids: emails.map((email) => uidOfEmail(email)), emailHash: null, stamp: now(peer) };
}

/** What a whole hash of Osclass looks like. */
export const HASH = '$2y$15$abcdefghijklmnopqrstuuOuJrVHTaQz6T0RLvFrIr6nZAw5JkZbe';
