/** The sites of a history, their clocks and the network between them. */
import type { Value } from '../../src/model/register.ts';
import { SyncError } from '../../src/model/errors.ts';
import { haveMet } from '../../src/model/births.ts';
import { HELD_MS } from '../../src/model/proof.ts';
import { parseStamp } from '../../src/model/stamp.ts';
import {
  birthsOfUser,
  stampText,
  type StreamAnswer,
  type UserRecord,
  type WireRecord,
} from '../../src/model/record.ts';
import { makeLedger, type Ledger } from './ledger.ts';
import { Crash, type HostRow, type Memory } from './memory/database.ts';
import { emailOfRow, folded, isSquattersHash, textOf } from './memory/host.ts';
import { proofOn } from './proof-on.ts';
import { isOfPeople, type Fate, type History, type HostOperation, type Operation, type Topology } from './operation.ts';
import {
  act,
  addressOf,
  giveAnother,
  nameOf,
  personOf,
  proveByMail,
  register,
  isSquatters,
  SQUATTERS,
} from './people.ts';
import { requireUid } from '../../src/store/shadows.ts';
import { openHistorySite, type HistorySite } from './site.ts';

/** Something that must never happen. */
export class Flaw extends Error {
  override readonly name = 'Flaw';
}

/** A world under way. */
export interface World {
  readonly sites: readonly HistorySite[];
  readonly ledger: Ledger;
  /** Registrations that were blocked or inactive on a site when it was installed again: it forgot them, and no feed tells of them. */
  readonly forgotten: ReadonlySet<string>;
  /** Begins the history. */
  start(): Promise<void>;
  perform(operation: Operation): Promise<void>;
  /** Repairs everything and works until nobody has anything to do. */
  rest(): Promise<void>;
  /**
   * What a person does where two accounts want one address: whoever has it gets another. Returns for how many.
   */
  decide(): number;
  /**
   * What an owner does whose accounts were not taken for one, for nobody had proved the address: a password is set by mail, on one
   * site. Returns for how many.
   */
  prove(): number;
}

interface Request {
  readonly from: number;
  readonly to: number;
  readonly records: readonly WireRecord[];
}

/** When histories begin. */
export const START_MS = Date.UTC(2026, 0, 1);
/** Rounds after which sites that still talk are taken to talk forever. */
const MOST_ROUNDS = 60;
/** A clock that is further off is set right some day. */
const MOST_SKEW_MS = 5 * 60_000;
/** Longer than parked records wait before they are taken for present ones. */
const LATE_RECORDS_MS = 11 * 60_000;

/** Makes the world of a history. `tell`: a line for each thing that happens. */
export function makeWorld(history: History, tell: (line: () => string) => void): World {
  let nowMs = START_MS;
  const ledger = makeLedger(history.isPrivate ? personOf : () => 'anybody');
  const names = history.sites.map((site) => site.name);
  const skews: number[] = [];
  let wasInstalledAgain = false;
  const forgotten = new Set<string>();
  const linked = linksOf(names.length, history.topology);
  const sites = history.sites.map(({ name, priority, skewMs, validates }, index): HistorySite => {
    const peers = names.filter((_, other) => linked(index, other));
    const plan = { name, priority, peers, relay: history.relay, batch: history.batch };
    skews.push(skewMs);
    const site = openHistorySite(plan, () => nowMs + (skews[index] ?? 0));
    site.memory.onDaemonWrite = (row, from, to, isGivenOver) => {
      // What a site forgot it never met. Its unproved accounts give way to proved ones of their address in all they have, edits made
      // since included, and nobody can say of which: neither stamps nor births of before are left there to tell an old copy of the
      // same account, which those edits came after, from another's.
      const isForgotten = wasInstalledAgain && proofOn(site.memory, name, row) === null;
      const why = ledger.whyNotOverwritable(from, to, isForgotten ? 'all' : isGivenOver ? 'squatters' : 'none');
      if (why !== undefined) throw new Flaw(`${name}: ${why}`);
    };
    site.memory.validates = validates;
    site.memory.onDaemonRowWrite = (row, column, from, to) => {
      const why = whyNotWritable(site.memory, name, row, column, to);
      if (why !== undefined) throw new Flaw(`${name}: ${why} (it was ${textOf(from)})`);
    };
    site.memory.onDaemonRemoval = (row: HostRow) => {
      const why = ledger.whyNotRemovable(row);
      if (why !== undefined) throw new Flaw(`${name}: ${why}`);
    };
    return site;
  });
  const cuts = new Set<string>();
  const late: Request[] = [];
  const siteAt = (index: number): HistorySite => sites[index % sites.length] as HistorySite;
  const link = (a: number, b: number): string => `${Math.min(a, b)}-${Math.max(a, b)}`;

  const people = (operation: HostOperation): void => {
    const { name, memory } = siteAt(operation.at);
    const done = act(memory, ledger, name, operation, history.isPrivate);
    if (done !== undefined) tell(() => `${name}: ${done}`);
  };

  /** Runs what may be killed; true if it was. */
  const killable = async (
    site: HistorySite,
    crash: number | undefined,
    work: () => Promise<void>,
  ): Promise<boolean> => {
    site.memory.crashIn = crash ?? Infinity;
    let killed = false;
    try {
      await work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      tell(() => `${site.name}: killed`);
      killed = true;
    }
    site.memory.crashIn = Infinity;
    const [refusal] = site.memory.refusals;
    if (refusal !== undefined) throw new Flaw(`${site.name}: ${refusal}`);
    return killed;
  };

  let requests = 0;
  const accept = async (request: Request, crash?: number): Promise<StreamAnswer> => {
    const [from, to] = [siteAt(request.from), siteAt(request.to)];
    if (++requests % history.forgets === 0) {
      tell(() => `  ${from.name} → ${to.name}: thrown away`);
      return { status: 'OK', results: request.records.map(() => ({ result: 'applied' })) };
    }
    let answer: StreamAnswer | undefined;
    const killed = await killable(to, crash, async () => {
      answer = await to.accept(from.name, request.records);
    });
    tell(() => `  ${from.name} → ${to.name}: ${request.records.map(showRecord).join('; ')}`);
    if (killed || answer === undefined) throw new SyncError('PEER_UNREACHABLE');
    tell(() => `    ${answer?.results.map(({ result, code }) => `${result} ${code ?? ''}`.trim()).join('; ')}`);
    return answer;
  };

  const deliver = async (
    at: number,
    to: number,
    options: { fate?: Fate; crash?: number | undefined; meanwhile?: readonly HostOperation[] } = {},
  ): Promise<number> => {
    const { fate = 'well', crash, meanwhile = [] } = options;
    if (!linked(at, to)) return 0;
    const send = async (records: readonly WireRecord[]): Promise<StreamAnswer> => {
      const request: Request = { from: at, to, records };
      for (const operation of meanwhile) people(operation);
      if (cuts.has(link(at, to)) || fate === 'lost') throw new SyncError('PEER_UNREACHABLE');
      if (fate === 'late') {
        late.push(request);
        throw new SyncError('PEER_TIMEOUT');
      }
      if (fate === 'twice') await accept(request);
      const answer = await accept(request, crash);
      if (fate === 'unanswered') throw new SyncError('PEER_TIMEOUT');
      return answer;
    };
    try {
      return await siteAt(at).deliver(siteAt(to).name, send);
    } catch (error) {
      if (error instanceof SyncError && error.code.startsWith('PEER_')) return 0;
      throw error;
    }
  };

  const feed = async (at: number, from: number, crash?: number): Promise<void> => {
    if (!linked(at, from)) return;
    const [puller, source] = [siteAt(at), siteAt(from)];
    await source.drain();
    const page = await source.page(puller.name);
    tell(() => `${puller.name}: feeds from ${source.name}: ${page.map(showRecord).join('; ')}`);
    await killable(puller, crash, () => puller.feed(source.name, page));
  };

  const arrive = async (request: Request | undefined): Promise<void> => {
    if (request === undefined) return;
    tell(() => 'a late request arrives');
    await accept(request).catch((error: unknown) => {
      if (!(error instanceof SyncError)) throw error;
    });
  };

  /** Only once all that it has to say is said: what a site forgets, nobody can know. */
  const reinstall = async (index: number, zoneMs: number, crash?: number): Promise<void> => {
    const at = index % sites.length;
    const site = siteAt(at);
    const peers = [...sites.keys()].filter((to) => linked(at, to));
    if (peers.some((to) => cuts.has(link(at, to)))) return;
    await site.drain();
    for (const to of peers) while ((await deliver(at, to)) > 0);
    const { outbox, parked, queue } = site.memory.tables;
    if (outbox.size + parked.size + queue.size > 0) return;
    // A request is under way for a minute at most: then its signature has expired.
    const underWay = late.filter(({ from }) => from % sites.length === at);
    for (const request of underWay) await arrive(late.splice(late.indexOf(request), 1)[0]);
    wasInstalledAgain = true;
    tell(() => `${site.name}: is installed again`);
    for (const { columns, lineage } of site.memory.tables.rows.values()) {
      if (columns['b_enabled'] === '1' && columns['b_active'] === '1') continue;
      for (const registration of lineage) forgotten.add(registration);
    }
    site.memory.forget();
    while (await killable(site, crash, () => site.baseline(zoneMs))) crash = undefined;
    for (const to of peers) await siteAt(to).noteInstalledAgain(site.name);
  };

  /** One round of everybody's work. True if anything was done. */
  const round = async (): Promise<boolean> => {
    let busy = false;
    for (const site of sites) if ((await site.drain()) > 0) busy = true;
    for (const [at] of sites.entries()) {
      for (const [to] of sites.entries()) {
        for (let sent = 1; sent > 0;) {
          sent = await deliver(at, to);
          if (sent > 0) busy = true;
        }
      }
    }
    for (const site of sites) {
      const outcomes = await site.retryParked();
      if (outcomes.some((outcome) => outcome.result === 'applied')) busy = true;
    }
    for (const { memory } of sites) {
      const waits = [...memory.tables.parked.values()].some(
        ({ code }) => code === 'CLOCK_SKEW' || code === 'USER_BUSY',
      );
      if (memory.tables.outbox.size > 0 || waits) busy = true;
    }
    return busy;
  };

  const rest = async (): Promise<void> => {
    cuts.clear();
    for (const [index, skewMs] of skews.entries()) skews[index] = Math.min(skewMs, MOST_SKEW_MS);
    tell(() => 'everything is repaired');
    for (const request of late.splice(0)) await arrive(request);
    if (wasInstalledAgain || history.sites.some((site) => site.users.length > 0)) {
      for (const [at] of sites.entries()) for (const [from] of sites.entries()) await feed(at, from);
    }
    // Silent, and still so after records that lay long enough were tried again.
    for (let rounds = 0, silent = 0; silent < 2; rounds += 1) {
      if (rounds > MOST_ROUNDS) throw new Flaw('the sites do not fall silent');
      silent = (await round()) ? 0 : silent + 1;
      if (silent === 1) refuseNeedlessWaiting(sites);
      if (silent === 1) refuseWaitingForProved(sites);
      nowMs += silent === 0 ? 61_000 : LATE_RECORDS_MS;
    }
  };

  return {
    sites,
    ledger,
    forgotten,
    rest,
    decide() {
      let decided = 0;
      for (const { name, memory } of sites) {
        for (const email of contestedOn(memory)) {
          const to = giveAnother(memory, ledger, name, email);
          if (to === undefined) continue;
          tell(() => `${name}: a person gives who has ${email} the address ${to}`);
          decided += 1;
        }
      }
      return decided;
    },
    prove() {
      let proved = 0;
      const done = new Set<string>();
      for (const { name, memory } of sites) {
        for (const email of unprovenOn(memory)) {
          if (done.has(email)) continue;
          done.add(email);
          if (!proveByMail(memory, ledger, email)) continue;
          tell(() => `${name}: the owner of ${email} sets a password by mail`);
          proved += 1;
        }
      }
      return proved;
    },
    async start() {
      for (const [index, { users }] of history.sites.entries()) {
        const site = siteAt(index);
        const { memory, name } = site;
        memory.applying = true;
        for (const { email, ageMs } of users) {
          const atMs = Math.min(START_MS, memory.nowMs()) - ageMs;
          // Of one address and one moment: some other program made the one of the other.
          const copied = `${atMs}#${email}000`;
          const row = register(memory, ledger, addressOf(email, ledger.next()), atMs, memory.next(), copied);
          tell(() => `${name}: has ${nameOf(row)} since ${ageMs} ms`);
        }
        memory.applying = false;
        await site.baseline();
      }
    },
    async perform(operation) {
      nowMs += operation.afterMs;
      if (isOfPeople(operation)) return people(operation);
      switch (operation.do) {
        case 'drain': {
          const site = siteAt(operation.at);
          await killable(site, operation.crash, async () => {
            if ((await site.drain()) > 0) tell(() => `${site.name}: drains`);
          });
          return;
        }
        case 'deliver':
          await deliver(operation.at, operation.to, operation);
          return;
        case 'arrive':
          return arrive(late.splice(operation.which % Math.max(1, late.length), 1)[0]);
        case 'retry': {
          const site = siteAt(operation.at);
          await killable(site, operation.crash, async () => {
            const outcomes = await site.retryParked();
            if (outcomes.length > 0) tell(() => `${site.name}: tries parked: ${outcomes.map((o) => o.result).join()}`);
          });
          return;
        }
        case 'feed':
          return feed(operation.at, operation.from, operation.crash);
        case 'clock':
          skews[operation.at % skews.length] = operation.skewMs;
          tell(() => `${siteAt(operation.at).name}: its clock is ${operation.skewMs} ms ahead now`);
          return;
        case 'cut':
          cuts.add(link(operation.at, operation.to));
          return;
        case 'join':
          cuts.delete(link(operation.at, operation.to));
          return;
        case 'reinstall':
          return reinstall(operation.at, operation.zoneMs, operation.crash);
        case 'rest':
          return rest();
        default:
          operation satisfies never;
      }
    },
  };
}

/**
 * What waits for an address is another account's than the one that has it: the two were not registered at once. Unless
 * that one should have another address itself, and cannot get it.
 */
function refuseNeedlessWaiting(sites: readonly HistorySite[]): void {
  for (const { name, memory } of sites) {
    const { rows, parked } = memory.tables;
    const contested = new Set([...parked.values()].map(({ userId }) => userId));
    for (const { code, record, userId } of parked.values()) {
      // One that names an account here is about that, which is to have another address.
      if (code !== 'EMAIL_TAKEN' || record.kind !== 'user' || userId !== null) continue;
      const registration = record.registers['dt_reg_date']?.values['dt_reg_date'];
      const holder = [...rows.values()].find((row) => folded(emailOfRow(row)) === folded(record.email));
      if (holder === undefined || contested.has(holder.id)) continue;
      if (holder.columns['dt_reg_date'] === registration) {
        throw new Flaw(`${name}: a record of ${nameOf(holder)} waits for the address that it has`);
      }
    }
  }
}

/** The row's account is its owner's, as is known on its site: nothing of whoever had no right to the address comes in. */
function whyNotWritable(memory: Memory, site: string, row: HostRow, column: string, to: Value): string | undefined {
  if (proofOn(memory, site, row) === null || isSquatters(row) || emailOfRow(row).startsWith(SQUATTERS))
    return undefined;
  const isHis =
    (column === 's_password' && isSquattersHash(to)) || (column === 's_email' && textOf(to).startsWith(SQUATTERS));
  const isDeactivation = column === 'b_active' && to === '0';
  if (!isHis && !isDeactivation) return undefined;
  return `${nameOf(row)}, whose address is proved, was to get ${column} ${textOf(to)}`;
}

/** Whoever proved an address is not kept waiting for somebody who did not: his account goes there and wins. */
function refuseWaitingForProved(sites: readonly HistorySite[]): void {
  const contested = new Set(sites.flatMap(({ memory }) => [...contestedOn(memory)]));
  for (const { name, memory } of sites) {
    for (const { code, record, userId } of memory.tables.parked.values()) {
      if (record.kind === 'user' && contested.has(folded(record.email))) continue;
      if (code !== 'EMAIL_UNPROVEN' || record.kind !== 'user' || userId === null) continue;
      if (waitsByDate(memory, userId, record)) continue;
      const row = memory.tables.rows.get(userId);
      const isOfIt = row !== undefined && folded(emailOfRow(row)) === folded(record.email);
      if (isOfIt && row.columns['b_enabled'] === '1' && proofOn(memory, name, row) !== null) {
        throw new Flaw(`${name}: ${nameOf(row)} is proved, and a record of it waits: ${showRecord(record)}`);
      }
    }
  }
}

/**
 * True if a record is held until a date: it was set, or moved, where the account came over; or the account was removed or moved
 * there, which waits, and the record is of who registered there next.
 */
function waitsByDate(memory: Memory, userId: number, record: UserRecord): boolean {
  const { users, parked } = memory.tables;
  const stored = users.get(userId);
  if (stored === undefined) return false;
  const { uids, provenance } = stored;
  const isHeld = ({ heldUntil = 0 }: WireRecord): boolean => heldUntil > memory.nowMs();
  const leaves = (one: WireRecord): boolean =>
    isHeld(one) && (one.kind === 'removal' || folded(one.email) !== folded(record.email));
  const hasLeft = [...parked.values()].some(
    ({ record: one }) => leaves(one) && one.uids.some((uid) => uids.includes(requireUid(uid))),
  );
  // Moved there while it is held, it is its owner's still, and gives way to nobody who has that address.
  const address = record.registers['s_email'];
  const movedMs = address === undefined ? 0 : (parseStamp(stampText(record, address))?.ms ?? 0);
  const isMoved = movedMs >= (record.heldUntil ?? 0) - HELD_MS;
  return hasLeft || (isHeld(record) && (isMoved || haveMet(provenance.births, birthsOfUser(record))));
}

/** Addresses of accounts that were not taken for the one here, for nobody proved them. */
export function unprovenOn(memory: Memory): Set<string> {
  const waiting = [...memory.tables.parked.values()].filter((row) => row.code === 'EMAIL_UNPROVEN');
  return new Set(
    waiting.flatMap(({ record, userId }) => {
      if (record.kind === 'removal')
        return record.uids.flatMap((uid) => addressesOf(memory, memory.tables.uids.get(requireUid(uid))));
      return [record.email, ...addressesOf(memory, userId ?? undefined)].map(folded);
    }),
  );
}

function addressesOf(memory: Memory, userId: number | undefined): string[] {
  const row = userId === undefined ? undefined : memory.tables.rows.get(userId);
  return row === undefined ? [] : [folded(emailOfRow(row))];
}

/** Addresses for which records wait on a site. */
function contestedOn(memory: Memory): Set<string> {
  const waiting = [...memory.tables.parked.values()].filter((row) => row.code === 'EMAIL_TAKEN');
  return new Set(waiting.flatMap(({ record }) => (record.kind === 'user' ? [folded(record.email)] : [])));
}

/** Whether two sites are peers. */
function linksOf(count: number, topology: Topology): (a: number, b: number) => boolean {
  return (a, b) => {
    if (a === b || a >= count || b >= count) return false;
    switch (topology) {
      case 'mesh':
        return true;
      case 'ring':
        return (a + 1) % count === b || (b + 1) % count === a;
      case 'line':
        return Math.abs(a - b) === 1;
      case 'star':
        return a === 0 || b === 0;
      default:
        return topology satisfies never;
    }
  };
}

/** A record in a trace: uids by their first digits, who proved its address, and its births (after `!` those overruled). */
function showRecord(record: WireRecord): string {
  const uids = record.uids.map((uid) => uid.slice(0, 4)).join('+');
  if (record.kind === 'removal') return `removal ${uids}`;
  const email = record.registers['s_email'];
  const stamp = email === undefined ? '' : stampText(record, email);
  const value = record.registers['s_name']?.values['s_name'];
  const name = typeof value === 'string' ? value : '';
  const births = `${record.births?.join('+') ?? record.born} !${record.overruled?.join('+') ?? ''}`;
  const proof = record.proof ? `proved ${record.proof.site} ${record.proof.at}` : 'unproved';
  return `${record.email} ${uids} (${name}, e-mail ${stamp}, ${proof}, births ${births})`;
}
