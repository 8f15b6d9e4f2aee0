/**
 * Where cases are played: two sites, whose daemons do nothing by themselves. What happens between two calls of `sync` is
 * a partition. Many cases share a stage, each with users of its own.
 */
import { expect } from 'vitest';
import type { Site } from '../../../src/site/site.ts';
import { eventually } from '../../support/eventually.ts';
import { compareHosts, type Host, type HostOptions } from '../../support/osclass/host.ts';
import type { Flavour } from '../../support/osclass/flavour.ts';
import type { Profile } from '../../support/osclass/profile.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

/** A row as the server sends it. */
export type Row = Record<string, unknown>;

/** What a log record says, as far as cases ask. */
export interface Said {
  readonly code?: string;
  readonly operation: string;
  readonly result: string;
  readonly registers?: readonly string[];
  readonly notes?: readonly {
    readonly code: string;
    readonly register?: string;
    readonly message: string;
    readonly kept?: unknown;
    readonly lost?: unknown;
  }[];
}

/** One of the two sites. */
export interface Side {
  readonly name: string;
  readonly flavour: Flavour;
  readonly host: Host;
  readonly world: WorldSite;
  readonly site: () => Promise<Site>;
  /** The row of a user, losslessly; `{}` if there is none, so that expectations can name columns. */
  readonly row: (email: string) => Promise<Row>;
  /** As root, with strict mode off: what an import or a plugin might do. `{user}` stands for the prefixed `t_user`. */
  readonly sql: (statement: string, params?: unknown[]) => Promise<Row[]>;
  readonly set: (email: string, column: string, value: unknown) => Promise<void>;
  /** PROCESS records of this case, oldest first. */
  readonly said: () => Promise<Said[]>;
  /** Codes of everything noted in this case, each once, sorted. */
  readonly codes: () => Promise<string[]>;
  /** Codes of what waits here of this case's users. */
  readonly parked: () => Promise<string[]>;
  /** Text of a description. */
  readonly info: (email: string, locale: string) => Promise<string | null | undefined>;
}

/** Two sites and what cases do with both. */
export interface Stage {
  readonly a: Side;
  readonly b: Side;
  readonly world: World;
  /** Begins a case: what was logged and parked before is no longer seen. */
  readonly begin: () => Promise<void>;
  /** An address nobody has. */
  readonly address: (name?: string) => string;
  /** Registers and validates on `a` (or the side given) and syncs. Gives the address. */
  readonly person: (form?: Profile & { email?: string; userName?: string }, on?: Side) => Promise<string>;
  /** Until nothing moves any more. */
  readonly sync: () => Promise<void>;
  /** All that the other site has, pulled to this side. */
  readonly feed: (to: Side) => Promise<void>;
  /** Lets the database's clock move, so that what follows is later. */
  readonly later: () => Promise<void>;
  /** Expects these users to be the same on both sides. */
  readonly same: (...emails: string[]) => Promise<void>;
  readonly close: () => Promise<void>;
  /** Starts the daemons of a stage that was made idle. */
  readonly start: () => Promise<void>;
}

/** What makes a stage special. */
export interface StageOptions {
  /** Definitions of further columns of `t_user`, before the daemons start. */
  readonly columns?: Readonly<Partial<Record<'a' | 'b' | 'both', readonly string[]>>>;
  /** Further statements before the daemons start. */
  readonly setUp?: Readonly<Partial<Record<'a' | 'b' | 'both', readonly string[]>>>;
  readonly hosts?: Readonly<Partial<Record<'a' | 'b', HostOptions>>>;
  /** YAML at top level of the config. */
  readonly extra?: Readonly<Partial<Record<'a' | 'b' | 'both', string>>>;
  /** Daemons are started by `start`. */
  readonly idle?: boolean;
  /** Keys of the config's `site` entry. */
  readonly siteExtra?: Readonly<Partial<Record<'a' | 'b', string>>>;
  /** YAML lines of the entry of the other side. */
  readonly peerExtra?: Readonly<Partial<Record<'a' | 'b', string>>>;
}

const NO_GUARD = 'guard: { removals: 100000, percent: 100 }';
let people = 0;

/** Makes both sites, of the given generations of Osclass, and opens them. */
export async function makeStage(
  [flavourA, flavourB]: readonly [Flavour, Flavour],
  options: StageOptions = {},
): Promise<Stage> {
  const { extra = {}, peerExtra = {}, hosts = {} } = options;
  const yaml = (side: 'a' | 'b'): string => [NO_GUARD, extra.both ?? '', extra[side] ?? ''].join('\n');
  const world = await makeWorld(['alpha', 'beta'], {
    idle: true,
    manual: true,
    hosts: {
      alpha: { flavour: flavourA, locationOffset: 100, ...hosts.a },
      beta: { flavour: flavourB, locationOffset: 200, ...hosts.b },
    },
    extra: { alpha: yaml('a'), beta: yaml('b') },
    siteExtra: { alpha: options.siteExtra?.a ?? '', beta: options.siteExtra?.b ?? '' },
    peerExtra: { 'alpha.beta': peerExtra.a ?? '', 'beta.alpha': peerExtra.b ?? '' },
  });
  const a = makeSide(world.site('alpha'), flavourA);
  const b = makeSide(world.site('beta'), flavourB);
  const start = async (): Promise<void> => {
    for (const { side } of [a, b]) {
      await side.world.start();
      await scan(await side.site());
    }
  };
  try {
    for (const [key, { side }] of [['a', a] as const, ['b', b] as const]) {
      await side.sql(`SET SESSION sql_mode = ''`);
      const columns = [...(options.columns?.both ?? []), ...(options.columns?.[key] ?? [])];
      if (columns.length > 0)
        await side.sql(`ALTER TABLE {user} ${columns.map((one) => `ADD COLUMN ${one}`).join(', ')}`);
      for (const statement of [...(options.setUp?.both ?? []), ...(options.setUp?.[key] ?? [])])
        await side.sql(statement);
    }
    if (options.idle !== true) await start();
  } catch (error) {
    await world.close();
    throw error;
  }

  const sides = [a.side, b.side];
  const stage: Stage = {
    a: a.side,
    b: b.side,
    world,
    async begin() {
      await a.begin();
      await b.begin();
    },
    address: (name = 'user') => `${name}.${++people}@example.com`,
    async person(form = {}, on = a.side) {
      const email = form.email ?? stage.address();
      const id = await on.host.person.register({ name: 'Ana', ...form, email });
      await on.host.person.clickValidationLink(id);
      await stage.sync();
      return email;
    },
    async sync() {
      for (let round = 0; round < 30; round++) {
        let moved = 0;
        for (const side of sides) moved += await work(side);
        if (moved === 0) return;
      }
      throw new Error('never silent');
    },
    async feed(to) {
      const from = to === a.side ? b.side : a.side;
      await (await to.site()).feed(from.name, { restart: true, once: false, dryRun: false, overwrite: false });
    },
    async later() {
      for (const side of sides) {
        const now = async (): Promise<unknown> => (await side.sql('SELECT NOW(3) AS now'))[0]?.['now'];
        const before = await now();
        await eventually(async () => expect(await now()).not.toBe(before), { intervalMs: 1 });
      }
    },
    async same(...emails) {
      const differences = await compareHosts(sides.map((side) => side.host));
      expect(differences.filter(({ email }) => emails.includes(email))).toEqual([]);
    },
    close: () => world.close(),
    start,
  };
  return stage;
}

/** All passes of one site, once. Gives how much moved. */
async function work(side: Side): Promise<number> {
  const site = await side.site();
  await scan(site);
  await side.sql(`UPDATE oc_account_sync_outbox SET due_at = '2000-01-01' WHERE state = 'w'`);
  let moved = (await site.drain()).done;
  for (const route of site.routes()) moved += route.send ? (await site.deliver(route)).done : 0;
  await site.sweep();
  moved += (await site.retryParked()).outcomes.filter(({ result }) => result === 'applied').length;
  return moved;
}

async function scan(site: Site): Promise<void> {
  while (await site.isScanPending()) await site.scanPage();
}

function makeSide(world: WorldSite, flavour: Flavour): { side: Side; begin(): Promise<void> } {
  let since = { log: 0, parked: 0 };
  const last = async (table: string): Promise<number> =>
    Number((await side.sql(`SELECT COALESCE(MAX(id), 0) AS id FROM oc_account_sync_${table}`))[0]?.['id']);
  const side: Side = {
    name: world.name,
    flavour,
    host: world.host,
    world,
    site: async () => (await world.open()).site,
    async row(email) {
      const [row] = await side.sql('SELECT * FROM {user} WHERE s_email = ?', [email]);
      return row ?? {};
    },
    sql: (statement, params) => world.db.query(statement.replaceAll(/\{([a-z_]+)\}/g, '`oc_t_$1`'), params),
    async set(email, column, value) {
      await side.sql('UPDATE {user} SET ?? = ? WHERE s_email = ?', [column, value, email]);
    },
    async said() {
      const rows = await side.sql(
        `SELECT content FROM oc_account_sync_log WHERE type = 'PROCESS' AND id > ? ORDER BY id`,
        [since.log],
      );
      return rows.map((row) => JSON.parse(String(row['content'])) as Said);
    },
    async codes() {
      const codes = (await side.said()).flatMap(({ code, notes = [] }) => [code, ...notes.map((note) => note.code)]);
      return [...new Set(codes.filter((code) => code !== undefined))].toSorted();
    },
    async parked() {
      const rows = await side.sql('SELECT code FROM oc_account_sync_parked WHERE id > ? ORDER BY id', [since.parked]);
      return rows.map((row) => String(row['code']));
    },
    async info(email, locale) {
      const [row] = await side.sql(
        `SELECT d.s_info FROM {user_description} d JOIN {user} u ON u.pk_i_id = d.fk_i_user_id
         WHERE u.s_email = ? AND d.fk_c_locale_code = ?`,
        [email, locale],
      );
      return row?.['s_info'] as string | null | undefined;
    },
  };
  return {
    side,
    async begin() {
      since = { log: await last('log'), parked: await last('parked') };
    },
  };
}
