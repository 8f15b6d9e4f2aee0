/** What a site is opened with. */
import type { Clock } from '../runtime/clock.ts';
import type { Meter } from '../metrics/meter.ts';

/** What a site is opened with besides its config. */
export interface SiteOptions {
  readonly clock: Clock;
  /** 0 ≤ n < 1. */
  readonly random?: (() => number) | undefined;
  /** Is told of the work, for metrics. */
  readonly meter?: Meter | undefined;
  /** Called after every SQL statement, and awaited; tests stop the process there. */
  readonly onStatement?: ((statement: string) => void | Promise<void>) | undefined;
  /** How long a lease lasts that nobody renews: {@link TTL_MS}, except in tests. The same for all daemons of a site. */
  readonly leaseMs?: number | undefined;
}
