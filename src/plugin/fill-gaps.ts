/** What the PHP plugin left on our own site, where it moves from the plugin to a daemon. */
import type { Kysely } from 'kysely';
import type { AppendLog } from '../store/ports.ts';
import { fillRegistrationGaps } from '../osclass/registration-gaps.ts';
import { readInstalledPlugin } from './installed.ts';
import { makeRandomBytes } from '../runtime/random-bytes.ts';
import { newTrace } from '../runtime/trace.ts';
import type { HostSnapshot } from '../osclass/host.ts';

/** What it needs of the site. */
export interface OwnPluginSite {
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
  readonly appendLog: AppendLog;
}

/**
 * Where the plugin is, or was, installed: gives the accounts that it made here what they lack (see
 * {@link fillRegistrationGaps}), and says so in the log. Any other site is left alone. May be repeated.
 */
export async function fillGapsOfPlugin(
  { db, nowMs, appendLog }: OwnPluginSite,
  { catalog, zone }: Pick<HostSnapshot, 'catalog' | 'zone'>,
): Promise<number> {
  if ((await readInstalledPlugin(db, catalog)) === undefined) return 0;
  const accounts = await fillRegistrationGaps({
    db,
    table: catalog.requireTable('t_user'),
    randomBytes: makeRandomBytes(),
    now: () => zone.toLocal(new Date(nowMs()).toISOString().slice(0, 19).replace('T', ' ')),
  });
  if (accounts === 0) return 0;
  const response = `${accounts} accounts that the PHP plugin made here got what Osclass fills at registration: s_secret, s_username, dt_reg_date, where they were empty.`;
  const content = { operation: 'repair', accounts };
  await appendLog(db, [
    { type: 'PROCESS', peer: null, key: null, ip: null, status: 'OK', response, content, trace: newTrace() },
  ]);
  return accounts;
}
