/**
 * The part of `account-sync check` that is about peers with the PHP plugin: whether they are what the config says, whether
 * keys are right both ways, and what they cannot do. The plugin has no greeting, so it is asked for the users after the
 * highest id there can be: it changes nothing, and it has to know our key for it.
 */
import type { Config, PeerConfig } from '../../config/config.ts';
import { isInstalled } from '../../db/migrate.ts';
import { SyncError } from '../../model/errors.ts';
import { makeKeyDigest } from '../../peer/key-digest.ts';
import { makeOwnCredentials } from '../../peer/own-credentials.ts';
import { makePeerClient } from '../../peer/client.ts';
import { greet, makePluginClient, type PluginSays } from '../../plugin/client.ts';
import { newTrace } from '../../runtime/trace.ts';
import type { Site } from '../../site/site.ts';
import { judgeAddresses } from './addresses.ts';
import { fail, failed, ok, warn, type Finding } from './finding.ts';
import { formatCount } from '../../runtime/figures.ts';

const LIMITS =
  'a PHP plugin: it forgets what it could not send, and cannot say that an address changed or a value is NULL';
const CHAPTER = 'See "Peers that run the PHP plugin" in docs/plugin-peers.md.';
const DAY_MS = 86_400_000;
/** It is shown a key, as the plugin would be. */
const NONE = { read: () => Promise.resolve(null), note: () => Promise.resolve() };

/** Asks a peer of `protocol: plugin`. */
export async function checkPluginPeer(config: Config, peer: PeerConfig): Promise<Finding[]> {
  const about = `peer ${peer.name}`;
  const asked = await askAsPlugin(peer);
  if (await answersAsDaemon(config, peer)) {
    return [fail(about, 'is an account-sync, not the PHP plugin', 'Take "protocol: plugin" away, here and there.')];
  }
  if (asked instanceof Error) return [failed(about, asked)];
  if (asked.status !== 'OK') {
    const remedy =
      'Enter our site.api_key, and our address, into the account for us in the settings of the plugin there.';
    return [fail(about, `the plugin answers, but refuses our key: ${asked.message.slice(0, 200)}`, remedy)];
  }
  return [
    ok(about, 'the PHP plugin answers and knows our key'),
    ...judgeAddresses('plugin', peer),
    ...limitsOf(config, peer),
  ];
}

/** True if a peer that does not speak our protocol speaks the plugin's. */
export async function answersAsPlugin(peer: PeerConfig): Promise<boolean> {
  return !((await askAsPlugin(peer)) instanceof Error);
}

/** What the log tells of calls by plugin peers: only a call of theirs proves the key that the config has for them. */
export async function checkPluginCallers(site: Site): Promise<Finding[]> {
  const peers = site.config.peers.filter((peer) => peer.protocol === 'plugin' && (peer.receive || peer.send));
  if (peers.length === 0 || !(await isInstalled(site.db))) return [];
  const findings: Finding[] = [];
  for (const peer of peers) findings.push(await checkCaller(site, peer), ...(await checkSecrets(site, peer)));
  return findings;
}

/** Accounts that the daemon made there, and that anybody can delete who knows their id. */
async function checkSecrets({ plugin }: Pick<Site, 'plugin'>, { name }: PeerConfig): Promise<Finding[]> {
  const unguarded = await plugin.unguarded(name);
  if (unguarded === 0) return [];
  return [
    warn(
      `peer ${name}`,
      `${formatCount(unguarded, 'account')} there without s_secret, which alone guards "delete my account": its settings leave the column out`,
      'There, tick s_secret in the list of columns of the account for us, and run, with its table prefix for oc_: UPDATE oc_t_user SET s_secret = ' +
        "LEFT(SHA2(CONCAT(RAND(), UUID(), pk_i_id), 256), 40) WHERE COALESCE(s_secret, '') = ''",
    ),
  ];
}

async function checkCaller({ activity, config }: Site, { name, apiKeys }: PeerConfig): Promise<Finding> {
  const about = `peer ${name}`;
  const pages = await Promise.all(
    (['FEED', 'STREAM'] as const).map((type) => activity.query({ peer: name, type, limit: 1000 })),
  );
  // Calls of earlier days may have come with a key that the config has no more.
  const digests = new Set(apiKeys.map(makeKeyDigest(config)));
  const last = pages
    .flatMap((page) => page.logs)
    .filter(({ ip, key, status }) => ip !== null && digests.has(key ?? '') && status.startsWith('2'))
    .map((entry) => entry.date)
    .toSorted()
    .at(-1);
  const refused = await activity.query({ search: 'API_KEY_INVALID', fromMs: Date.now() - 7 * DAY_MS, limit: 1000 });
  const doors = ['', 'index.php'].map((path) => `${config.http.basePath}${path}`);
  const strangers = refused.logs.filter(
    ({ content, date }) => doors.includes(String(content['path'])) && (last === undefined || date > last),
  );
  const [stranger] = strangers;
  if (stranger === undefined && last !== undefined) {
    return ok(about, `calls us with the key that is in the config; last ${last}`);
  }
  if (stranger === undefined) {
    return warn(
      about,
      'never called us with the key in the config, so its key is not proven',
      'In the plugin there, enter the address of this daemon as the URL of the account for us; then change a user there.',
    );
  }
  const since =
    last === undefined ? 'never called us with the key in the config, but' : `called us last ${last}; since then`;
  return warn(
    about,
    `${since} ${formatCount(strangers.length, 'call')} came with an unknown one, last from ${stranger.ip}`,
    'Compare api_key of the peer here with the API key in the settings of the plugin there.',
  );
}

function limitsOf({ peers }: Config, peer: PeerConfig): Finding[] {
  const about = `peer ${peer.name}`;
  const missing = [
    ...(peer.receive && peer.feedWithinMs === null
      ? ['set feed_schedule, so that what it forgot is caught up with']
      : []),
    ...(peer.receive && !peer.relay && peers.length > 1 ? ['set relay: true, so that the other peers get it too'] : []),
  ];
  const advice = missing.length === 0 ? CHAPTER : `For this peer ${missing.join(', and ')}. ${CHAPTER}`;
  return [warn(about, LIMITS, advice)];
}

async function askAsPlugin({ url, sendKey }: PeerConfig): Promise<PluginSays | Error> {
  const client = makePluginClient({ url, apiKey: sendKey });
  try {
    return await greet(client);
  } catch (error) {
    return error instanceof Error ? error : new SyncError('INTERNAL', undefined, { cause: error });
  } finally {
    await client.close();
  }
}

async function answersAsDaemon(config: Config, { name: peer, url, sendKey }: PeerConfig): Promise<boolean> {
  const { name: site } = config.site;
  const credentials = makeOwnCredentials(
    { site, peer, sendKey, signingKey: null, isPinned: false },
    { memory: NONE, keyDigest: makeKeyDigest(config), nowMs: Date.now },
  );
  const client = makePeerClient({ url, credentials, site });
  try {
    await client.hello({ trace: newTrace() });
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}
