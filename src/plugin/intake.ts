/** Rows of plugin peers on their way in: prepared when they come, and found again when their record was applied. */
import type { Kysely } from 'kysely';
import type { WireRecord } from '../model/record.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Origin } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostSnapshot } from '../osclass/host.ts';
import { prepareRows, type Prepared } from './receive-rows.ts';
import type { PluginRow } from './row.ts';
import { sanitizedRow } from './sanitize-row.ts';
import { inOurTimes, type PeerTimes } from './times.ts';

/** What it needs of the site. */
export interface IntakeSite {
  readonly db: Kysely<unknown>;
  readonly origin: () => Origin;
  readonly nowMs: () => number;
  readonly randomUid: () => Uid;
  readonly snapshot: () => Pick<HostSnapshot, 'hosts' | 'zone'>;
  readonly times: (peer: string) => PeerTimes;
  /** Works off markers, so that every user has a shadow and what was changed here is stamped before what comes. */
  readonly drain: () => Promise<unknown>;
}

/** The rows of one site that are under way. */
export interface Intake {
  /** See {@link prepareRows}; users that changed here are drained first. */
  prepare(route: PeerRoute, rows: readonly PluginRow[], via: 'stream' | 'feed'): Promise<Prepared[]>;
  /** The row that a record was made of; undefined: it came from elsewhere, or was read from the database since. */
  preparedOf(record: WireRecord): Prepared | undefined;
}

/** Nobody knows the priority of a plugin peer; it loses against every site that states one. */
const LAST_PRIORITY = 65_535;

/** Keeps a row as long as somebody has its record. */
export function makeIntake({ db, origin, nowMs, randomUid, snapshot, times, drain }: IntakeSite): Intake {
  const prepared = new WeakMap<WireRecord, Prepared>();
  return {
    async prepare(route, rows, via) {
      await drain();
      const { hosts, zone } = snapshot();
      const theirs = times(route.name);
      const timed = rows.map((row) => inOurTimes(row, hosts, theirs));
      const local = route.sanitize === 'osclass' ? timed.map(sanitizedRow) : timed;
      const ready = await prepareRows(db, route.name, local, {
        hosts,
        via,
        origin: origin(),
        nowMs: nowMs(),
        randomUid,
        peer: { site: route.name, priority: LAST_PRIORITY },
        toEpochMs: zone.toEpochMs,
        times: theirs,
        sends: route.sends,
        tells: route.send,
        emailTrust: route.emailTrust,
      });
      for (const one of ready) if (one.record !== undefined) prepared.set(one.record, one);
      return ready;
    },
    preparedOf: (record) => prepared.get(record),
  };
}
