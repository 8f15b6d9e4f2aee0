/** Everything that `account-sync check` looks at. Changes nothing. */
import type { Config } from '../../config/config.ts';
import { NEW_KEY, namedKeys, weakKeys } from '../../config/named-keys.ts';
import { isSafeUrl } from '../../config/url.ts';
import { openPool } from '../../db/pool.ts';
import { SyncError } from '../../model/errors.ts';
import { findPrefixes } from '../../osclass/survey.ts';
import { systemClock } from '../../runtime/clock.ts';
import { openSite, type Site } from '../../site/site.ts';
import { checkAddresses } from './addresses.ts';
import { checkHost, checkInstallation, checkRights, checkServerFacts } from './database.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';
import { checkLinkKeys } from './keys.ts';
import { checkOwnPlugin } from './own-plugin.ts';
import { checkPluginCallers } from './plugin-peer.ts';
import { checkRelays } from './relays.ts';
import { checkDisk, checkOutboxes } from './space.ts';
import { checkLeftovers } from './triggers.ts';

/** What is accepted, 20 characters, can be remembered; what `account-sync key` prints cannot be guessed. */
const GOOD_KEY_LENGTH = 32;

/** Keys, addresses and peers, as the config has them. */
export function checkConfig(config: Config): Finding[] {
  const { peers } = config;
  const short = namedKeys(config)
    .filter(([, key]) => key.length < GOOD_KEY_LENGTH)
    .map(([name]) => name);
  const insecure = peers.filter(({ url }) => !isSafeUrl(url));
  return [
    ok('config', 'is valid'),
    short.length === 0
      ? ok('keys', 'long enough')
      : warn('keys', `${short.join(' and ')}: shorter than ${GOOD_KEY_LENGTH} characters`, NEW_KEY),
    ...weakKeys(config).map((weak) => warn('keys', weak, NEW_KEY)),
    ...checkLinkKeys(config),
    ...insecure.map(({ name, url }) =>
      warn('urls', `${name} is called over ${url}: keys and personal data travel in the clear`, 'Give it HTTPS.'),
    ),
    ...(peers.length === 0 ? [warn('peers', 'there are none', 'Add the other sites to peers.')] : []),
    ...checkRelays({ peers }),
  ];
}

/** The site's database, host and tables, each check by itself: what one throws is a finding too. */
export async function checkDatabase(config: Config): Promise<Finding[]> {
  let site: Site;
  try {
    site = await openSite(config, { clock: systemClock });
  } catch (error) {
    return [await connectionFailure(config, error)];
  }
  try {
    const findings = [ok('connection', 'the database answers')];
    const checks = [
      ['server', checkServerFacts],
      ['rights', checkRights],
      ['tables', checkInstallation],
      ['leftovers', checkLeftovers],
      ['host', checkHost],
      ['addresses', checkAddresses],
      ['PHP plugin', checkOwnPlugin],
      ['callers', checkPluginCallers],
      ['outboxes', checkOutboxes],
      ['disk', checkDisk],
    ] as const;
    for (const [name, make] of checks) {
      findings.push(...(await make(site).catch((error: unknown) => [failed(name, error)])));
    }
    return findings;
  } finally {
    await site.close();
  }
}

/** Where tables were not found, the prefixes under which there are some. */
async function connectionFailure({ database }: Config, error: unknown): Promise<Finding> {
  const isOfPrefix = error instanceof SyncError && error.code === 'HOST_TABLE_MISSING' && error.remedy === undefined;
  if (!isOfPrefix) return failed('connection', error);
  const pool = openPool(database, { connectionLimit: 1 });
  try {
    const prefixes = (await findPrefixes(pool.db, database.name)).map((prefix) => JSON.stringify(prefix));
    if (prefixes.length === 0) return failed('connection', error);
    const remedy = `Set database.table_prefix: this database has tables of Osclass with ${prefixes.join(', ')}.`;
    return fail('connection', error.message, remedy);
  } finally {
    await pool.close();
  }
}
