/** What the passes of capture need of the site, given by whoever puts the site together. */
import type { Kysely, Transaction } from 'kysely';
import type { OutboxWriter, ReadValidation, Routes } from '../store/ports.ts';
import type { Origin } from '../model/stamp.ts';
import type { Uid } from '../model/uid.ts';
import type { HostUsers } from '../osclass/host-users.ts';

/** What drain and baseline need of the site. */
export interface CaptureDeps {
  readonly db: Kysely<unknown>;
  readonly hosts: HostUsers;
  readonly outbox: OutboxWriter;
  /** Lets what waits of users besides follow them to other ids: old id → new id, all at once. */
  readonly renumberWaiting: (trx: Transaction<unknown>, moves: ReadonlyMap<number, number>) => Promise<void>;
  readonly routes: Routes;
  readonly origin: Origin;
  /** Local time of the site → milliseconds since 1970, undefined for sentinel dates. */
  readonly toEpochMs: (local: string) => number | undefined;
  readonly nowMs: () => number;
  readonly validation: ReadValidation;
  readonly randomUid: () => Uid;
}
