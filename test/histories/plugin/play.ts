/**
 * Plays a history: two daemons, cars and homes, and jobs, which runs the PHP plugin and is a peer of cars, that relays. At
 * the end jobs may move to a daemon. Nothing may die, be emptied or become another's that nobody did so to.
 */
import { makeRandom } from '../../support/osclass/random.ts';
import type { StreamAnswer } from '../../../src/model/record.ts';
import type { Value } from '../../../src/model/register.ts';
import { Memory, type HostRow } from '../memory/database.ts';
import { DEFAULTS, emailOfRow, folded, textOf } from '../memory/host.ts';
import { LISTENING } from '../memory/plugin-client.ts';
import { makeBook, type Book, type BookRow } from './people.ts';
import { makePhpSite, type PhpAnswer, type PhpRow, type PhpSite } from './php.ts';
import type { Operation, PluginHistory, SiteName } from './operation.ts';
import { openDaemonSite, type DaemonSite } from './site.ts';

/** The accounts go wrong, not the program. */
class Flaw extends Error {}

const URL_OF_JOBS = 'memory:jobs/';
const START_MS = Date.UTC(2026, 0, 1);
const COLUMNS = ['s_name', 's_phone_mobile'];
const MOST_ROUNDS = 40;

type Tell = (line: string) => void;

/** Plays it; undefined: it ended well. */
export async function playPluginHistory(
  history: PluginHistory,
  tell: Tell = () => undefined,
): Promise<string | undefined> {
  const world = await makeWorld(history, tell);
  try {
    for (const operation of history.operations) await world.perform(operation);
    await world.settle();
    await world.check();
    if (history.moves) await world.moveToDaemon();
    return undefined;
  } catch (error) {
    return error instanceof Flaw ? error.message : error instanceof Error ? (error.stack ?? error.message) : 'unknown';
  }
}

interface PluginWorld {
  perform(operation: Operation): Promise<void>;
  settle(): Promise<void>;
  check(): Promise<void>;
  moveToDaemon(): Promise<void>;
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

async function makeWorld({ seed, trouble, operations }: PluginHistory, tell: Tell): Promise<PluginWorld> {
  const random = makeRandom(`weather ${seed}`);
  const book = makeBook();
  let nowMs = START_MS;
  let [calm, isCalling] = [false, false];
  let counter = 0;
  const clock = (): number => nowMs;
  const next = (): number => ++counter;
  const hashOf = (): string => `$2y$10$${String(next()).padStart(6, '0')}`.padEnd(60, 'x');
  const guard = (flaw: string | undefined): void => {
    if (flaw !== undefined) throw new Flaw(flaw);
  };
  const flaws: string[] = [];
  const note = (flaw: string | undefined): void => {
    if (flaw !== undefined) flaws.push(flaw);
  };

  /** Registrations that cars ever held, or that wait there: of an account it cannot know of, it goes by the address. */
  const heard = new Set<string>();
  const listen = (): void => {
    const { rows, parked } = cars.memory.tables;
    for (const row of rows.values()) for (const date of row.lineage) heard.add(date);
    const waiting = JSON.stringify([...parked.values()].map(({ record }) => record));
    for (const row of jobs.rows.values()) for (const date of row.lineage) if (waiting.includes(date)) heard.add(date);
  };
  const isHeardOf = ({ lineage }: PhpRow): boolean => [...lineage].every((date) => heard.has(date));
  const jobs: PhpSite = makePhpSite({
    apiKey: 'key-of-jobs',
    locales: ['en_US', 'es_ES'],
    feedLimit: 3,
    firstId: 5001,
    peers: [{ name: 'cars', apiKey: 'key-of-cars', lastUserId: 0 }],
    watch: {
      removes: (row) => isHeardOf(row) && note(why('jobs', book.whyNotRemovable(row))),
      writes: (row, column, from, to) =>
        isHeardOf(row) && note(why('jobs', book.whyNotWritable(row, column, from, to))),
    },
  });
  const open = (name: string, natives: string[], plugin: boolean, memory = new Memory(clock)): DaemonSite => {
    memory.onDaemonRemoval = (row) => note(why(name, book.whyNotRemovable(row)));
    memory.onDaemonRowWrite = (row, column, from, to) =>
      note(why(name, book.whyNotWritable(row, column, plainOf(from), plainOf(to))));
    const entry = plugin ? { plugin: { name: 'jobs', url: URL_OF_JOBS, apiKey: 'key-of-jobs' } } : {};
    return openDaemonSite({ name, priority: 100, natives, ...entry }, memory, clock);
  };
  const cars = open('cars', ['homes'], true);
  const homes = open('homes', ['cars'], false);
  const daemons: DaemonSite[] = [cars, homes];
  const isLost = (): boolean => !calm && random.chance(trouble);
  const daemonOf = (name: string): DaemonSite => daemons.find((one) => one.name === name) as DaemonSite;
  const carry = async (from: string, to: string, records: Parameters<DaemonSite['accept']>[1]): Promise<StreamAnswer> =>
    await daemonOf(to).accept(from, structuredClone(records));
  LISTENING.set(URL_OF_JOBS, async (form) => {
    // While jobs calls, it is there.
    if (isCalling) return jobs.answer(form);
    if (isLost()) return undefined;
    const answer = jobs.answer(form);
    return isLost() ? undefined : answer;
  });
  const toCars = async (form: string): Promise<PhpAnswer | undefined> => {
    if (isLost()) return undefined;
    isCalling = true;
    const answer = await cars.servePlugin(form);
    isCalling = false;
    listen();
    return isLost() ? undefined : answer;
  };
  for (const one of daemons) await one.baseline();

  const people = makePeople({ jobs, cars, homes }, book, { nowMs: clock, next, hashOf, tell });
  const work = async (one: DaemonSite): Promise<number> => {
    let moved = await one.drain();
    moved += await one.deliver((to, records) => carry(one.name, to, records));
    const retried = await one.retryParked();
    listen();
    return moved + retried.filter(({ result }) => result === 'applied').length;
  };
  const cron = (): Promise<void> =>
    jobs.cron(async (_peer, form) => {
      nowMs += 500;
      await toCars(form);
    });
  const feed = async (): Promise<void> => {
    await cars.feedFromPlugin('jobs', false).catch(() => undefined);
    listen();
  };

  return {
    async perform(operation) {
      nowMs += 1_000 + random.int(90_000);
      const { kind, site, what } = operation;
      if (kind === 'cron') {
        tell('jobs runs its cron');
        await cron();
      } else if (kind === 'hour') nowMs += 3_600_000;
      else if (kind === 'feed') {
        tell('cars takes a feed of jobs');
        await feed();
      } else if (kind === 'take page') {
        tell('jobs takes a page of cars');
        const peer = jobs.peers[0];
        if (peer !== undefined) await jobs.feed(peer, toCars);
      } else if (kind === 'work') {
        const one = what % 3 === 0 ? homes : cars;
        tell(`${one.name} works`);
        await work(one);
      } else await people.act(operation, site);
      guard(flaws[0]);
    },
    async settle() {
      calm = true;
      for (let round = 0; round < MOST_ROUNDS; round++) {
        nowMs += 700_000;
        let moved = 0;
        for (const one of daemons) moved += await work(one);
        moved += jobs.queue.users.size + jobs.queue.removals.size;
        await cron();
        if (round === 3) await feed();
        guard(flaws[0]);
        if (moved === 0 && round > 4) return;
      }
      throw new Flaw('never silent');
    },
    async check() {
      // What an account lacks is seen once the peer says it: in its feed, under the address that is known.
      const isPlain = operations.every(({ kind }) => kind !== 'give up' && kind !== 'move');
      if (!isPlain || trouble > 0) return;
      for (const { columns } of jobs.rows.values()) {
        const { s_email: email, s_secret: secret, s_username: username } = columns;
        if (columns['b_enabled'] !== '1' || columns['b_active'] !== '1') continue;
        if ((secret ?? '') === '') throw new Flaw(`jobs: the account ${email} has no secret`);
        if ((username ?? '') === '') throw new Flaw(`jobs: the account ${email} has no user name`);
      }
    },
    async moveToDaemon() {
      tell('jobs moves to a daemon');
      const memory = new Memory(clock);
      for (const row of jobs.rows.values()) memory.tables.rows.set(row.id, toHostRow(row));
      const moved = open('jobs', ['cars'], false, memory);
      for (let id = 0; id < 10_000; id += 1) memory.next();
      await moved.baseline();
      daemons.splice(0, daemons.length, open('cars', ['homes', 'jobs'], false, cars.memory), homes, moved);
      const again = daemonOf('cars');
      // Both sides feed, from the beginning.
      await moved.merge('cars', structuredClone(await again.page('jobs')));
      await again.merge('jobs', structuredClone(await moved.page('cars')));
      for (let round = 0; round < MOST_ROUNDS; round++) {
        nowMs += 700_000;
        let count = 0;
        for (const one of daemons) count += await work(one);
        guard(flaws[0]);
        if (count === 0 && round > 2) break;
      }
      // Who came masked, and could not log in, can now.
      for (const row of again.memory.tables.rows.values()) {
        const other = [...memory.tables.rows.values()].find(
          (one) => folded(emailOfRow(one)) === folded(emailOfRow(row)),
        );
        const isShown = other?.columns['b_enabled'] === '1' && other.columns['b_active'] === '1';
        const hash = textOf(other?.columns['s_password']);
        if (!isShown || !hash.startsWith('$2y$') || hash.includes('*')) continue;
        if (textOf(row.columns['s_password']).startsWith('!')) {
          throw new Flaw(`cars: the account ${emailOfRow(row)} is still without the password that jobs has`);
        }
      }
    },
  };
}

function why(site: string, what: string | undefined): string | undefined {
  return what === undefined ? undefined : `${site}: ${what}`;
}

function plainOf(value: Value): string | null {
  return typeof value === 'string' ? value : null;
}

function toHostRow({ id, columns, texts, lineage }: PhpRow): HostRow {
  const known = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, columns[name] ?? null]));
  return { id, columns: known, texts: new Map(texts), lineage };
}

/** A row of any site, to be edited as a person or an administrator there does. */
interface Handle extends BookRow {
  readonly email: string;
  get(column: string): string | null;
  /** `isQueued`: one of the hooks of the plugin sees it. */
  set(values: Record<string, string | null>, isQueued: boolean): void;
  remove(): void;
}

/** What people do. */
function makePeople(
  sites: { readonly jobs: PhpSite; readonly cars: DaemonSite; readonly homes: DaemonSite },
  book: Book,
  { nowMs, next, hashOf, tell }: { nowMs: () => number; next: () => number; hashOf: () => string; tell: Tell },
): { act(operation: Operation, site: SiteName): Promise<void> } {
  const { jobs } = sites;
  const handlesOf = (site: SiteName): Handle[] =>
    site === 'jobs'
      ? [...jobs.rows.values()].map((row) => ofPlugin(jobs, row))
      : [...sites[site].memory.tables.rows.values()].map((row) => ofDaemon(sites[site].memory, row));
  /** Sites that never heard of the account would know whoever takes its address next by that address. */
  const isKnownToDaemons = ({ email, lineage }: Handle): boolean => {
    // What cars told without an answer may never have come.
    const { hashes } = sites.cars.memory.tables.seen.get(`jobs ${email}`) ?? {};
    const isSure = /"dt_reg_date":"[0-9a-f]/.test(hashes ?? '');
    const isThere = (site: 'cars' | 'homes'): boolean =>
      handlesOf(site).some((one) => one.email === email && [...one.lineage].some((date) => lineage.has(date)));
    return isSure && isThere('cars') && isThere('homes');
  };
  const register = (site: SiteName, email: string): void => {
    if (handlesOf(site).some((one) => one.email === email)) return;
    const [date, hash] = [dateOf(nowMs()), hashOf()];
    // Daemons that meet again know people by their address.
    const withIt = (names: readonly SiteName[]): Handle[] =>
      names.flatMap(handlesOf).filter((one) => one.email === email);
    const among = withIt(['cars', 'homes']);
    // Which of two values, or none, is later where two daemons meet is a matter of other histories.
    const isFilled = withIt(['jobs']).some((one) => one.get('s_phone_mobile') !== null);
    if (site !== 'jobs' && (among.length > 0 || isFilled)) return;
    book.registered(site, { email, date, hash, atMs: nowMs() }, among.length > 0 ? among : withIt(['jobs']));
    const [n, active] = [next(), next() % 2 === 0 ? '1' : '0'];
    const columns = { s_email: email, s_name: `name ${n}`, s_password: hash, dt_reg_date: date, b_active: active };
    if (site === 'jobs') {
      const row = jobs.insert({ ...columns, s_secret: `secret ${n}` });
      row.columns['s_username'] = String(row.id);
      jobs.queue.users.add(row.id);
    } else {
      const { memory } = sites[site];
      const id = memory.next();
      memory.tables.rows.set(id, {
        id,
        columns: { ...DEFAULTS, ...columns },
        texts: new Map(),
        lineage: new Set([date]),
      });
      memory.mark(id, 'I', null);
    }
  };

  return {
    async act({ kind, who, what }, site) {
      const all = handlesOf(site).toSorted((a, b) => a.email.localeCompare(b.email));
      const one = all[who % Math.max(1, all.length)];
      const email = `p${who % 3}@x.org`;
      if (kind === 'register') {
        // Strangers come where the first one is known; see below.
        if (book.isFree(site, email)) return;
        tell(`${site}: ${email} registers`);
        register(site, email);
        return;
      }
      if (one === undefined) return;
      // Who is blocked or not active cannot log in; the rest is done by administrators, and by programs.
      const isAble = one.get('b_enabled') === '1' && one.get('b_active') === '1';
      if (!isAble && ['edit', 'clear', 'password', 'move', 'give up', 'delete', 'renew'].includes(kind)) return;
      tell(`${site}: ${kind} ${one.email}`);
      const column = COLUMNS[what % COLUMNS.length] ?? 's_name';
      switch (kind) {
        case 'edit':
          return one.set({ [column]: `${column} ${next()}`, dt_mod_date: dateOf(nowMs()) }, true);
        case 'fill':
          // As an import or another plugin does: nobody is told, and no date moves.
          return one.set({ s_phone_mobile: `phone ${next()}` }, false);
        case 'clear':
          book.emptied(one, 's_phone_mobile');
          return one.set({ s_phone_mobile: '' }, true);
        case 'password': {
          const hash = hashOf();
          book.hashed(one, hash);
          return one.set({ s_password: hash }, false);
        }
        case 'block': {
          const flag = what % 2 === 0 ? 'b_enabled' : 'b_active';
          return one.set({ [flag]: one.get(flag) === '1' ? '0' : '1' }, true);
        }
        case 'move':
        case 'give up': {
          if (kind === 'give up' && !isKnownToDaemons(one)) return;
          const to = `q${who % 3}-${next() % 4}@x.org`;
          if (all.some((other) => other.email === to)) return;
          book.gaveUp(site, one, one.email, to);
          one.set({ s_email: to }, false);
          // Then somebody else takes it.
          if (kind === 'give up') register(site, one.email);
          return;
        }
        case 'delete':
        case 'renew':
          book.deleted(one, nowMs());
          one.remove();
          // Daemons look every second.
          if (site !== 'jobs') await sites[site].drain();
          if (kind === 'renew') {
            tell(`${site}: ${one.email} registers again`);
            register(site, one.email);
          }
          return;
        case 'cron':
        case 'feed':
        case 'hour':
        case 'take page':
        case 'work':
          return;
      }
    },
  };
}

function ofPlugin(jobs: PhpSite, row: PhpRow): Handle {
  return {
    email: row.columns['s_email'] ?? '',
    lineage: row.lineage,
    get: (column) => row.columns[column] ?? null,
    set(values, isQueued) {
      Object.assign(row.columns, values);
      if (isQueued) jobs.queue.users.add(row.id);
    },
    remove: () => jobs.remove(row),
  };
}

function ofDaemon(memory: Memory, row: HostRow): Handle {
  return {
    email: emailOfRow(row),
    lineage: row.lineage,
    get: (column) => plainOf(row.columns[column] ?? null),
    set(changed) {
      // The tables in memory keep no date of the last edit.
      const values = Object.fromEntries(Object.entries(changed).filter(([column]) => column !== 'dt_mod_date'));
      memory.tables.rows.set(row.id, { ...row, columns: { ...row.columns, ...values } });
      memory.mark(row.id, 'U', null);
    },
    remove() {
      memory.tables.rows.delete(row.id);
      memory.mark(row.id, 'D', emailOfRow(row));
    },
  };
}
