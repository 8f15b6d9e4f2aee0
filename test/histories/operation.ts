/** What can happen in a history, drawn at random. An operation says all of itself, so any of them can be left out. */

/** What people do on one site. `who` counts its users, round and round. */
export type HostOperation =
  | { readonly do: 'register'; readonly at: number; readonly email: number }
  | { readonly do: 'edit'; readonly at: number; readonly who: number; readonly what: number }
  | { readonly do: 'block'; readonly at: number; readonly who: number }
  | { readonly do: 'move'; readonly at: number; readonly who: number; readonly email: number }
  | { readonly do: 'swap'; readonly at: number; readonly who: number; readonly other: number }
  | { readonly do: 'remove'; readonly at: number; readonly who: number }
  /** Removed, and registered under the same address before anybody looked. */
  | { readonly do: 'renew'; readonly at: number; readonly who: number }
  /** Removed, and the next one who registers gets the id, as after a restart of older servers. */
  | { readonly do: 'reuse'; readonly at: number; readonly who: number; readonly email: number }
  /** What REPLACE does: the same values in a row of another id. */
  | { readonly do: 'replace'; readonly at: number; readonly who: number }
  /** Somebody registers with an address that is not his. */
  | { readonly do: 'squat'; readonly at: number; readonly email: number }
  /** The owner of the mailbox opens the link in the mail, or an administrator activates the account. */
  | { readonly do: 'activate'; readonly at: number; readonly who: number }
  /** The owner of the mailbox asks for a new password by mail. */
  | { readonly do: 'request'; readonly at: number; readonly who: number }
  /** And sets it by the link. */
  | { readonly do: 'reset'; readonly at: number; readonly who: number }
  /** Whoever lost an account to its owner is still logged in, and gives it another address, or deletes it. */
  | { readonly do: 'session'; readonly at: number; readonly who: number; readonly removes: boolean }
  /** Whether addresses are validated is set in Osclass. */
  | { readonly do: 'validate'; readonly at: number; readonly isOn: boolean }
  /** The key is changed in place: to one that nobody had, or to that of another account, which gets this one's. */
  | { readonly do: 'renumber'; readonly at: number; readonly who: number; readonly other: number };

/** What becomes of a request: `late` ones arrive long after the sender gave up. */
export type Fate = 'well' | 'lost' | 'unanswered' | 'twice' | 'late';

/** What daemons and the network do. `crash`: the daemon is killed at that statement. */
export type SyncOperation =
  | { readonly do: 'drain'; readonly at: number; readonly crash?: number }
  | {
      readonly do: 'deliver';
      readonly at: number;
      readonly to: number;
      readonly fate: Fate;
      /** Of the receiver. */
      readonly crash?: number;
      /** On the sender and the receiver, while the request is under way. */
      readonly meanwhile: readonly HostOperation[];
    }
  | { readonly do: 'arrive'; readonly which: number }
  | { readonly do: 'retry'; readonly at: number; readonly crash?: number }
  | { readonly do: 'feed'; readonly at: number; readonly from: number; readonly crash?: number }
  | { readonly do: 'cut'; readonly at: number; readonly to: number }
  | { readonly do: 'join'; readonly at: number; readonly to: number }
  /** The clock is set, forwards or back. */
  | { readonly do: 'clock'; readonly at: number; readonly skewMs: number }
  /**
   * Everything it had to say is said, and then it forgets all it ever knew: uninstalled, and installed again. `zoneMs`: how
   * far off the zone is in which it then takes its dates to be.
   */
  | { readonly do: 'reinstall'; readonly at: number; readonly zoneMs: number; readonly crash?: number }
  /** Everything is repaired and comes to rest; the history goes on after that. */
  | { readonly do: 'rest' };

/** One step of a history, so long after the one before. */
export type Operation = (HostOperation | SyncOperation) & { readonly afterMs: number };

const OF_PEOPLE: readonly string[] = [
  'register',
  'edit',
  'block',
  'move',
  'swap',
  'remove',
  'renew',
  'reuse',
  'replace',
  'renumber',
  'squat',
  'activate',
  'request',
  'reset',
  'session',
  'validate',
];

/** True for what people do, false for what daemons and the network do. */
export function isOfPeople(operation: HostOperation | SyncOperation): operation is HostOperation {
  return OF_PEOPLE.includes(operation.do);
}

/** How sites are connected; users travel on through sites only where they are not all connected. */
export type Topology = 'mesh' | 'ring' | 'line' | 'star';

/** A site, as a history begins. */
export interface SiteStart {
  readonly name: string;
  readonly priority: number;
  /** How far its clock is ahead. */
  readonly skewMs: number;
  /** It asks whoever registers to open a link that it mails. */
  readonly validates: boolean;
  /** Accounts it had before the daemon came: number of the address, and how long ago they registered. */
  readonly users: readonly { readonly email: number; readonly ageMs: number }[];
}

/** A history. */
export interface History {
  readonly seed: number;
  readonly sites: readonly SiteStart[];
  readonly topology: Topology;
  readonly relay: boolean;
  readonly batch: number;
  /** Nobody takes an address that is another person's; then no account can be mistaken for another's. */
  readonly isPrivate: boolean;
  readonly operations: readonly Operation[];
  /** Every so manieth request is confirmed and thrown away; 0: none is. To see that this is noticed. */
  readonly forgets: number;
}

/** Numbers from a seed, the same on every machine. */
export interface Random {
  /** 0 ≤ n < 1 */
  fraction(): number;
  /** 0 ≤ n < limit */
  below(limit: number): number;
  chance(probability: number): boolean;
  of<T>(list: readonly T[]): T;
}

/** Mulberry32. */
function makeRandom(seed: number): Random {
  let state = seed >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    of: (list) => list[below(list.length)] as (typeof list)[number],
  };
}

const NAMES = ['cars', 'homes', 'jobs', 'pets', 'boats'];
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 86_400_000;

/** Draws a history. */
export function drawHistory(seed: number, forgets = 0): History {
  const random = makeRandom(seed);
  const count = random.of([3, 3, 3, 4, 5]);
  const isPrivate = random.chance(0.5);
  const emails = isPrivate ? random.of([3, 6, 9, 18]) : random.of([2, 3, 4, 6]);
  const skewed = random.chance(0.5);
  const before = random.chance(0.4);
  const isSquatted = random.chance(0.5);
  const sites = NAMES.slice(0, count).map((name, index): SiteStart => {
    const addresses = before ? [...Array(emails).keys()].filter(() => random.chance(0.4)) : [];
    return {
      name,
      priority: random.of([100, 100, 100, 1]),
      skewMs: skewed ? drawSkew(random, index) : 0,
      validates: !isSquatted || random.chance(0.5),
      users: addresses.map((email) => ({ email, ageMs: random.of([0, 10_000, DAY, DAY + random.below(DAY)]) })),
    };
  });
  const topology = random.of<Topology>(['mesh', 'mesh', 'ring', 'line', 'star']);
  const length = random.of([8, 16, 30, 45]);
  return {
    seed,
    sites,
    topology,
    relay: topology !== 'mesh' || random.chance(0.3),
    isPrivate,
    forgets,
    batch: random.of([1, 3, 100]),
    operations: Array.from({ length }, () => drawOperation(random, count, { emails, isSquatted })),
  };
}

/** Up to five minutes off; the first site's now and then a day ahead. Two such sites would believe each other all day. */
function drawSkew(random: Random, at: number): number {
  return random.chance(0.1) && at === 0 ? DAY : Math.round((random.fraction() - 0.5) * 10 * MINUTE);
}

/** What operations of people are drawn from. */
interface Crowd {
  /** How many addresses there are. */
  readonly emails: number;
  /** There are people who register with addresses of others, and sites where nobody has to prove his. */
  readonly isSquatted: boolean;
}

function drawOperation(random: Random, sites: number, crowd: Crowd): Operation {
  const afterMs = random.of([0, 1, 40, 1_000, 5_000, MINUTE]);
  const inner = random.chance(0.5) ? drawHost(random, random.below(sites), crowd) : drawSync(random, sites, crowd);
  return { ...inner, afterMs };
}

function drawProving(random: Random, at: number, emails: number): HostOperation {
  const who = random.below(8);
  const draw = random.fraction();
  if (draw < 0.4) return { do: 'squat', at, email: random.below(emails) };
  if (draw < 0.55) return { do: 'activate', at, who };
  if (draw < 0.65) return { do: 'request', at, who };
  if (draw < 0.85) return { do: 'reset', at, who };
  if (draw < 0.97) return { do: 'session', at, who, removes: random.chance(0.3) };
  return { do: 'validate', at, isOn: random.chance(0.5) };
}

function drawHost(random: Random, at: number, { emails, isSquatted }: Crowd): HostOperation {
  if (isSquatted && random.chance(0.4)) return drawProving(random, at, emails);
  const who = random.below(8);
  const draw = random.fraction();
  if (draw < 0.25) return { do: 'register', at, email: random.below(emails) };
  if (draw < 0.5) return { do: 'edit', at, who, what: random.below(8) };
  if (draw < 0.55) return { do: 'block', at, who };
  if (draw < 0.77) return { do: 'move', at, who, email: random.below(emails) };
  if (draw < 0.83) return { do: 'swap', at, who, other: random.below(8) };
  if (draw < 0.94) return { do: 'remove', at, who };
  if (draw < 0.96) return { do: 'renew', at, who };
  if (draw < 0.975) return { do: 'reuse', at, who, email: random.below(emails) };
  if (draw < 0.985) return { do: 'replace', at, who };
  return { do: 'renumber', at, who, other: random.below(8) };
}

function drawSync(random: Random, sites: number, crowd: Crowd): SyncOperation {
  const at = random.below(sites);
  const to = (at + 1 + random.below(sites - 1)) % sites;
  const crash = random.chance(0.15) ? { crash: 1 + random.below(12) } : {};
  const draw = random.fraction();
  if (draw < 0.35) return { do: 'drain', at, ...crash };
  if (draw < 0.8) {
    const fate = random.of<Fate>(['well', 'well', 'well', 'well', 'lost', 'unanswered', 'twice', 'late']);
    const meanwhile = random.chance(0.2) ? [drawHost(random, random.of([at, to]), crowd)] : [];
    return { do: 'deliver', at, to, fate, ...crash, meanwhile };
  }
  if (draw < 0.84) return { do: 'arrive', which: random.below(8) };
  if (draw < 0.88) return { do: 'retry', at, ...crash };
  if (draw < 0.91) return { do: 'feed', at, from: to, ...crash };
  if (draw < 0.94) return { do: 'cut', at, to };
  if (draw < 0.97) return { do: 'join', at, to };
  if (draw < 0.977) return { do: 'clock', at, skewMs: random.chance(0.2) ? 0 : drawSkew(random, at) };
  if (draw < 0.993) return { do: 'reinstall', at, zoneMs: random.of([0, 0, -5 * HOUR]), ...crash };
  return { do: 'rest' };
}
