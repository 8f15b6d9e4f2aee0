/** How the daemon is, judged from facts that others gathered. Pure; says nothing of persons and no names of peers. */

import type { ErrorCode } from '../model/errors.ts';
import type { Health } from '../model/response-schemas.ts';

type HealthCheck = Health['checks']['database'];
type HealthStatus = HealthCheck['status'];

export interface HealthFacts {
  readonly nowMs: number;
  /** `code` of the registry if it does not answer. What needs the database is unknown then. */
  readonly database: { readonly ok: boolean; readonly code?: string };
  /** `missing`: they cannot be made now; `unused`: all users are compared every so often instead. */
  readonly triggers: 'ok' | 'mending' | 'missing' | 'unused';
  /** Markers, and the age of the oldest. */
  readonly queue: { readonly depth: number; readonly oldestAgeS: number | null };
  /** Of each peer in the config: since when calls to it fail; null while they do not. */
  readonly peersFailingSinceMs: readonly (number | null)[];
  /** Accounts that are gone though nobody deleted them: TRUNCATE, or an older backup. */
  readonly vanished: number;
  /** Tables and columns that were synchronised and are not there any more, and what is wrong with those of users. */
  readonly hostProblems: readonly string[];
  /** Why the triggers cannot put markers into the queue; null while they can. */
  readonly queueFails: ErrorCode | null;
  /** Server, database or address are others than last time, and nobody said yet what that is. */
  readonly isElsewhere: boolean;
  readonly parked: number;
  /** Accounts of peers whose address nobody proved there. On such sites there are always some: nothing is wrong by that. */
  readonly unproven: number;
  readonly held: number;
  /** An edit of the config file was refused, and the old one is in force. */
  readonly configRefused: boolean;
  /** Largest known difference between our clock and the database's or a peer's; null if none is known. */
  readonly clockSkewMs: number | null;
}

/** A peer that fails for so long is away. */
const PEER_AWAY_MS = 300_000;
/** Stamps 60 s ahead are refused: said at half of it, while there is time. */
const CLOCK_SKEW_MS = 30_000;
/** Markers are processed within seconds; one so old means that the drain does not work. */
const QUEUE_STUCK_S = 300;

const RIGHTS_ARE_MISSING: ReadonlySet<ErrorCode> = new Set(['DB_MISSING_RIGHT', 'DB_ACCESS_DENIED']);

/** Judges. `down` without a database, and where nothing may be sent or applied: everything else still serves. */
export function judgeHealth(facts: HealthFacts): Health {
  const checks = {
    database: facts.database.ok ? ok('answers') : check('down', facts.database.code ?? 'does not answer'),
    triggers: facts.database.ok ? judgeTriggers(facts.triggers) : unknown(),
    queue: facts.database.ok ? judgeQueue(facts) : unknown(),
    peers: judgePeers(facts),
    config: facts.configRefused
      ? check('degraded', 'the last edit was refused, the one before is in force')
      : ok('in force'),
    clock: judgeClock(facts.clockSkewMs),
    users: judgeUsers(facts.vanished),
    identity: facts.isElsewhere
      ? check('down', 'other than last time: nothing is sent or applied until "account-sync resume" says what it is')
      : ok('as last time'),
    host: facts.hostProblems.length === 0 ? ok('as it was') : check('degraded', facts.hostProblems.join('; ')),
  };
  return { status: worst(Object.values(checks)), checks };
}

/** 503 for `down`, else 200. */
export function httpStatusOf(health: Health): 200 | 503 {
  return health.status === 'down' ? 503 : 200;
}

function judgeTriggers(triggers: HealthFacts['triggers']): HealthCheck {
  switch (triggers) {
    case 'ok':
      return ok('in place');
    case 'mending':
      return check('degraded', 'being repaired');
    case 'missing':
      return check('degraded', 'missing: changes are not seen');
    case 'unused':
      return ok('not used: all users are compared every so often (capture.mode: scan)');
    default:
      return triggers satisfies never;
  }
}

function judgeQueue({ queue, parked, held, unproven, queueFails }: HealthFacts): HealthCheck {
  const isStuck = queue.oldestAgeS !== null && queue.oldestAgeS >= QUEUE_STUCK_S;
  if (queueFails !== null) {
    const why = RIGHTS_ARE_MISSING.has(queueFails) ? 'the account of the daemon lacks rights' : 'full, or its disk is';
    return check('degraded', `cannot be written (${why}); all users are compared instead`);
  }
  const waiting =
    `${queue.depth} markers` + (queue.oldestAgeS === null ? '' : `, oldest ${Math.round(queue.oldestAgeS)} s`);
  const counted = [
    [parked, 'parked'],
    [held, 'held'],
    [unproven, 'unproven'],
  ] as const;
  const message = [waiting, ...counted.flatMap(([n, what]) => (n > 0 ? [`${n} ${what}`] : []))].join(', ');
  return check(isStuck || parked > 0 || held > 0 ? 'degraded' : 'ok', message);
}

function judgePeers({ nowMs, peersFailingSinceMs: peers }: HealthFacts): HealthCheck {
  const away = peers.filter((since) => since !== null && nowMs - since >= PEER_AWAY_MS).length;
  if (away === 0) return ok(`${peers.length} configured`);
  return check('degraded', `${away} of ${peers.length} away for 5 minutes or more`);
}

function judgeClock(skewMs: number | null): HealthCheck {
  if (skewMs === null || Math.abs(skewMs) < CLOCK_SKEW_MS) return ok('agrees');
  return check('degraded', `differs by ${Math.round(Math.abs(skewMs) / 1000)} s`);
}

function judgeUsers(vanished: number): HealthCheck {
  if (vanished === 0) return ok('all there');
  const what = `${vanished} accounts are gone though nobody deleted them (table emptied, or an older backup restored)`;
  return check('degraded', `${what}; nobody was removed elsewhere, a feed with --restart brings them back`);
}

function worst(checks: readonly HealthCheck[]): HealthStatus {
  if (checks.some(({ status }) => status === 'down')) return 'down';
  return checks.some(({ status }) => status === 'degraded') ? 'degraded' : 'ok';
}

const check = (status: HealthStatus, message: string): HealthCheck => ({ status, message });
const ok = (message: string): HealthCheck => check('ok', message);
const unknown = (): HealthCheck => check('degraded', 'not known while the database is away');
