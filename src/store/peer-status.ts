/** What is known of each peer: table `peer`, and how much waits for it. */
import { sql, type Kysely } from 'kysely';
import { fromSqlTime, toIso, toSqlTime } from '../db/time.ts';
import type { Runner } from '../db/transaction.ts';
import { CHANGES_OF, type Changes, type GuardClass } from '../model/guard.ts';
import { unknownPlacesByPeer } from './unknown-places.ts';
import type { PeerSummary } from '../model/response-schemas.ts';
import { feedDue, isOfAnother } from '../model/feed-owner.ts';
import type { Clock } from '../runtime/clock.ts';
import { own } from '../db/own-tables.ts';

/** Outcome of one call to a peer, or of one call of it to us. */
export interface CallOutcome {
  readonly ok: boolean;
  /** HTTP code as text, `OK` or `ERR`. */
  readonly status: string;
  /** For people; holds no secret. Cut after 500 characters. */
  readonly message: string;
}

/** A peer as the config has it, with lists spelt out. */
export interface PeerFacts {
  readonly name: string;
  readonly url: string;
  readonly protocol: 'native' | 'plugin';
  /** We take what it sends. */
  readonly receive: boolean;
  /** What we accept, and what we send. */
  readonly columns: readonly string[];
  readonly sendColumns: readonly string[];
}

/** What was exchanged with a peer. */
export interface Exchanged {
  /** How many records. */
  readonly records: number;
  /** Something of it was new; else only the number is noted. */
  readonly isNews: boolean;
}

export interface PeerStatus {
  /** Notes a call. `failing_since` keeps the first failure since the last success. */
  recordCall(peer: string, outcome: CallOutcome): Promise<void>;
  /** Notes that data of the peer was stored here (`from`), or that it confirmed data of ours (`to`). */
  recordSynced(runner: Runner, peer: string, direction: 'from' | 'to', what: Exchanged): Promise<void>;
  /** One summary per peer given, in that order, whether or not anything is known of it. */
  summaries(peers: readonly PeerFacts[]): Promise<PeerSummary[]>;
  /** Since when calls fail, in milliseconds since 1970; null where they do not. In the order of `peers`. */
  failingSince(peers: readonly string[]): Promise<(number | null)[]>;
  /** Those to whom calls fail: since when (ISO 8601), and what came of the last one. */
  failures(peers: readonly string[]): Promise<Map<string, { readonly since: string; readonly message: string | null }>>;
  /** Of all these peers together, both directions; `unproven` needs nobody. */
  personNeeded(peers: readonly string[]): Promise<{ parked: number; held: number; unproven: number }>;
}

export interface PeerStatusDeps {
  readonly db: Kysely<unknown>;
  readonly clock: Clock;
}

/** The peer table of one site. */
export function makePeerStatus({ db, clock }: PeerStatusDeps): PeerStatus {
  return {
    async recordCall(peer, { ok, status, message }) {
      const now = toSqlTime(clock.nowMs());
      const text = message.toWellFormed().slice(0, 500);
      const since = ok ? null : now;
      await sql`
        INSERT INTO ${own.peer} (name, status, message, called_at, failing_since)
        VALUES (${peer}, ${status}, ${text}, ${now}, ${since})
        ON DUPLICATE KEY UPDATE status = VALUES(status), message = VALUES(message), called_at = VALUES(called_at),
          failing_since = IF(VALUES(failing_since) IS NULL, NULL, COALESCE(failing_since, VALUES(failing_since)))
        `.execute(db);
    },
    async recordSynced(runner, peer, direction, { records, isNews }) {
      if (records === 0 && !isNews) return;
      const at = isNews ? toSqlTime(clock.nowMs()) : null;
      const time = direction === 'from' ? sql`synced_from` : sql`synced_to`;
      const total = direction === 'from' ? sql`received_total` : sql`sent_total`;
      await sql`INSERT INTO ${own.peer} (name, ${time}, ${total}) VALUES (${peer}, ${at}, ${records})
        ON DUPLICATE KEY UPDATE ${time} = COALESCE(VALUES(${time}), ${time}), ${total} = ${total} + VALUES(${total})
        `.execute(runner);
    },
    async summaries(peers) {
      const rows = new Map((await readRows(db)).map((row) => [row.name, row]));
      const waiting = await readWaiting(db);
      const parked = await countParked(db);
      const unknown = await unknownPlacesByPeer(db);
      const nowMs = clock.nowMs();
      return peers.map((facts) => ({
        ...summaryOf(facts, rows.get(facts.name), waiting, parked, nowMs),
        unknown_locations: unknown.get(facts.name) ?? 0,
      }));
    },
    async failingSince(peers) {
      const rows = new Map((await readRows(db)).map((row) => [row.name, row.failing_since]));
      return peers.map((name) => {
        const since = rows.get(name) ?? null;
        return since === null ? null : fromSqlTime(since);
      });
    },
    async failures(peers) {
      const rows = (await readRows(db)).filter(({ name }) => peers.includes(name));
      return new Map(
        rows.flatMap(({ name, message, failing_since: since }) =>
          since === null ? [] : [[name, { since: toIso(since) as string, message }] as const],
        ),
      );
    },
    async personNeeded(peers) {
      const names = new Set(peers);
      const waiting = (await readWaiting(db)).filter(({ peer }) => names.has(peer));
      const inward = (await countParked(db)).filter(({ peer }) => names.has(peer));
      return {
        parked: sum(waiting.filter(isParkedEntry)) + sum(inward.filter(isParked)),
        held: sum([...waiting, ...inward].filter(({ held }) => held !== 0)),
        unproven: sum(waiting.filter(isUnprovenEntry)) + sum(inward.filter(isUnproven)),
      };
    },
  };
}

interface Row {
  name: string;
  last_user_id: string;
  cursor_of: string | null;
  fed_of: string | null;
  installation: string | null;
  synced_from: string | null;
  synced_to: string | null;
  received_total: string;
  sent_total: string;
  status: string | null;
  message: string | null;
  called_at: string | null;
  failing_since: string | null;
}
interface Waiting {
  peer: string;
  state: string;
  /** It waits for somebody to prove the address. */
  unproven: number | null;
  held: Changes;
  n: string;
  oldest: string | null;
}
interface Parked {
  peer: string;
  /** `unproven`: an address that nobody proved. `held`: for nothing else than the guard. */
  why: 'unproven' | 'held' | 'parked';
  held: Changes;
  n: string;
}

async function readRows(runner: Runner): Promise<Row[]> {
  const { rows } = await sql<Row>`
    SELECT name, last_user_id, cursor_of, fed_of, installation, synced_from, synced_to, received_total, sent_total,
      status, message, called_at, failing_since
    FROM ${own.peer}`.execute(runner);
  return rows;
}

async function readWaiting(runner: Runner): Promise<Waiting[]> {
  const { rows } = await sql<Waiting>`
    SELECT peer, state, state = 'p' AND code = 'EMAIL_UNPROVEN' AS unproven, held, COUNT(*) AS n, MIN(changed_at) AS oldest
    FROM ${own.outbox} GROUP BY peer, state, unproven, held
    `.execute(runner);
  return rows;
}

async function countParked(runner: Runner): Promise<Parked[]> {
  const { rows } = await sql<Parked>`
    SELECT peer, CASE code WHEN 'EMAIL_UNPROVEN' THEN 'unproven' WHEN 'GUARD_HELD' THEN 'held' ELSE 'parked' END AS why,
      held, COUNT(*) AS n FROM ${own.parked}
    WHERE code <> 'LOCALE_UNKNOWN' GROUP BY peer, why, held`.execute(runner);
  return rows;
}

function isUnprovenEntry({ unproven }: Waiting): boolean {
  return unproven === 1;
}

function isParkedEntry(one: Waiting): boolean {
  return one.state === 'p' && !isUnprovenEntry(one);
}

function isParked({ why }: Parked): boolean {
  return why === 'parked';
}

function isUnproven({ why }: Parked): boolean {
  return why === 'unproven';
}

function summaryOf(
  facts: PeerFacts,
  row: Row | undefined,
  waiting: readonly Waiting[],
  parked: readonly Parked[],
  nowMs: number,
): Omit<PeerSummary, 'unknown_locations'> {
  const { name, url, protocol, receive, columns, sendColumns } = facts;
  const present = { protocol, url, installation: row?.installation ?? null };
  const cursorOf = row?.cursor_of ?? null;
  const why = receive ? feedDue(row?.fed_of ?? null, present) : null;
  const inState = (state: string) => waiting.filter((one) => one.peer === name && one.state === state);
  const incoming = parked.filter((one) => one.peer === name);
  const held = [...waiting.filter((one) => one.peer === name), ...incoming].filter((one) => one.held !== 0);
  const ofClass = (one: GuardClass): number => sum(held.filter((it) => (it.held & CHANGES_OF[one]) !== 0));
  const oldest = inState('w').reduce<string | null>(
    (first, one) => (first === null || (one.oldest ?? first) < first ? one.oldest : first),
    null,
  );
  return {
    name,
    url,
    protocol,
    columns: [...columns],
    send_columns: [...sendColumns],
    last_user_id: cursorOf !== null && isOfAnother(cursorOf, present) ? 0 : Number(row?.last_user_id ?? 0),
    feed_due: why !== null,
    feed_due_reason: why,
    synced_from: toIso(row?.synced_from ?? null),
    synced_to: toIso(row?.synced_to ?? null),
    received_total: Number(row?.received_total ?? 0),
    sent_total: Number(row?.sent_total ?? 0),
    status: row?.status ?? null,
    message: row?.message ?? null,
    date: toIso(row?.called_at ?? null),
    failing_since: toIso(row?.failing_since ?? null),
    pending: sum(inState('w')),
    oldest_pending_age: oldest === null ? null : Math.max(0, (nowMs - fromSqlTime(oldest)) / 1000),
    parked: sum(inState('p').filter(isParkedEntry)) + sum(incoming.filter(isParked)),
    unproven: sum(inState('p').filter(isUnprovenEntry)) + sum(incoming.filter(isUnproven)),
    held: sum(held),
    held_by_class: {
      removals: ofClass('removals'),
      credentials: ofClass('credentials'),
      revivals: ofClass('revivals'),
      creations: ofClass('creations'),
    },
  };
}

function sum(rows: readonly { readonly n: string }[]): number {
  return rows.reduce((total, { n }) => total + Number(n), 0);
}
