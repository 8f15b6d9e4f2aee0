/** The facts that the health of a site is judged by. */
import { setTimeout as wait } from 'node:timers/promises';
import { fromSqlTime } from '../db/time.ts';
import { SyncError, type ErrorCode } from '../model/errors.ts';
import type { Health } from '../model/response-schemas.ts';
import type { Clock } from '../runtime/clock.ts';
import type { HostProblems } from '../site/host-watch.ts';
import type { Site } from '../site/site.ts';
import { queueDepth } from '../store/queue.ts';
import { judgeHealth } from './health.ts';

/** What others may see of the work, for health. */
export interface WorkState {
  /** `unused`: scan mode. */
  triggers: 'ok' | 'mending' | 'missing' | 'unused';
  /** Accounts that are gone though nobody deleted them. */
  vanished: number;
  /** Why the triggers cannot put markers into the queue, if they cannot. */
  queueFails: ErrorCode | null;
  /** The server takes no writes. */
  readOnly: boolean;
  /** The table of users is not there. */
  hostMissing: boolean;
  /** Our clock minus the database's, in milliseconds. */
  clockSkewMs: number | null;
}

/** A database that takes longer than this to tell is as good as away: whoever asks for health does not wait long. */
const HEALTH_PATIENCE_MS = 3_000;

/** Health of an open site; without database it says so and no more. */
export async function healthOf(site: Site, state: WorkState, clock: Clock, configRefused = false): Promise<Health> {
  const nowMs = clock.nowMs();
  const peers = site.routes().map((route) => route.name);
  const common = { nowMs, configRefused, clockSkewMs: state.clockSkewMs };
  if (state.hostMissing) return noDatabase(new SyncError('HOST_TABLE_MISSING'), nowMs, configRefused);
  if (state.readOnly) return noDatabase(new SyncError('DB_READ_ONLY'), nowMs, configRefused);
  const look = async (): Promise<Health> => {
    const { depth, oldest } = await queueDepth(site.db);
    const oldestAgeS = oldest === null ? null : Math.max(0, (nowMs - fromSqlTime(oldest)) / 1000);
    return judgeHealth({
      ...common,
      database: { ok: true },
      triggers: state.triggers,
      vanished: state.vanished,
      isElsewhere: site.identityCheck.mismatch() !== undefined,
      hostProblems: describeProblems(site.problems()),
      queueFails: state.queueFails,
      queue: { depth, oldestAgeS },
      peersFailingSinceMs: await site.status.failingSince(peers),
      ...(await site.status.personNeeded(peers)),
    });
  };
  const patience = new AbortController();
  const tooLong = async (): Promise<Health> => {
    await wait(HEALTH_PATIENCE_MS, undefined, { signal: patience.signal });
    return noDatabase(undefined, nowMs, configRefused);
  };
  try {
    return await Promise.race([look(), tooLong()]);
  } catch (error) {
    return noDatabase(error, nowMs, configRefused);
  } finally {
    patience.abort();
  }
}

/** In words, for health. */
function describeProblems({ missing, unfit }: HostProblems): string[] {
  return [...missing.map((part) => `${part} was synchronised and is missing`), ...unfit.map(({ problem }) => problem)];
}

/** Health while the database cannot be used. */
export function noDatabase(error: unknown, nowMs: number, configRefused = false): Health {
  return judgeHealth({
    nowMs,
    database: { ok: false, code: error instanceof SyncError ? error.code : 'DB_UNAVAILABLE' },
    triggers: 'ok',
    queue: { depth: 0, oldestAgeS: null },
    peersFailingSinceMs: [],
    vanished: 0,
    isElsewhere: false,
    hostProblems: [],
    queueFails: null,
    parked: 0,
    unproven: 0,
    held: 0,
    configRefused,
    clockSkewMs: null,
  });
}
