/**
 * A person says of the account here and that of the same address at a peer that they are one person's (`link`), or two
 * (`unlink`). Each leaves a log record that says who it was, in the transaction that does it.
 */
import type { Transaction } from 'kysely';
import { haveMet, parseBirth } from '../model/births.ts';
import { SyncError } from '../model/errors.ts';
import { GUARD_CLASSES } from '../model/guard.ts';
import { maskEmail } from '../model/log-entry.ts';
import type { Outcome, RecordSource } from '../model/outcome.ts';
import { birthsOfUser } from '../model/record.ts';
import type { LinkOutcome } from '../model/response-schemas.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { HostUser } from '../osclass/host-users.ts';
import type { Actor, LinkedPair } from '../server/deps.ts';
import type { Site } from '../site/site.ts';
import { readParked } from '../store/parked.ts';
import { readShadows, type StoredUser } from '../store/shadows.ts';
import { unprovenOf } from '../store/user-entries.ts';

/** A record that comes while the one before is merged waits as that did: then it is merged too. */
const MOST_ROUNDS = 3;

/**
 * They are one person's. What waits of the peer is merged here, by stamps, and peers are told; where nothing of it waits, the
 * address of the account here counts as proved, and the account goes to the peer, to be merged there. Throws `PEER_UNKNOWN`;
 * `NOT_FOUND` if nobody has the address here, or nothing can be done about it from here; `USER_BUSY`.
 */
export async function linkAccounts(site: Site, { email, peer, dryRun }: LinkedPair, by: Actor): Promise<LinkOutcome> {
  const { db } = site;
  const route = site.route(peer);
  const host = await holderOf(site, email);
  const told = { ...about(host), dry_run: dryRun };
  const within = (trx: Transaction<unknown>): Promise<void> => note(site, trx, by, { action: 'link', peer, host });
  const account = { userId: host.id, email: host.email };
  let waiting = await unprovenOf(db, peer, account);
  if (waiting.length === 0) {
    if (isLinked(await storedOf(site, host), peer)) return { ...told, result: 'unchanged', records: 0 };
    if (!route.send || protocolOf(site, peer) === 'plugin') {
      const why = route.send ? `${peer} runs the PHP plugin, to which it cannot be said` : `${peer} is sent nothing`;
      const message = `Nothing of ${peer} waits here about ${maskEmail(host.email)}, and ${why}.`;
      throw new SyncError('NOT_FOUND', message);
    }
    if (!dryRun) await site.say('proved', host.email, within);
    return { ...told, result: 'sent', records: 0 };
  }
  if (dryRun) return { ...told, ...resultOf(await plan(site, peer, waiting)), records: waiting.length };
  let records = 0;
  let outcomes: readonly Outcome[] = [];
  for (let round = 0; round < MOST_ROUNDS && waiting.length > 0; round++) {
    ({ outcomes } = await site.retryParked({ ids: waiting, linked: true, approved: GUARD_CLASSES, within }));
    records += outcomes.length;
    if (resultOf(outcomes).result !== 'linked') break;
    waiting = await unprovenOf(db, peer, account);
  }
  return { ...told, ...resultOf(outcomes), records };
}

/**
 * They are two. Both are kept as they are; the one here goes its own way, and what comes of the other waits from now on, as does
 * what goes to the other. Throws `PEER_UNKNOWN`; `REQUEST_INVALID` of a peer that knows accounts by their address only;
 * `NOT_FOUND` if nobody has the address here; `USER_BUSY`.
 */
export async function unlinkAccounts(site: Site, { email, peer, dryRun }: LinkedPair, by: Actor): Promise<LinkOutcome> {
  site.route(peer);
  if (protocolOf(site, peer) === 'plugin') {
    const message = `${peer} runs the PHP plugin, which knows accounts by their address only: there the two cannot be told apart. Give one of them another address.`;
    throw new SyncError('REQUEST_INVALID', message);
  }
  const host = await holderOf(site, email);
  const told = { ...about(host), dry_run: dryRun, records: 0 };
  if (await isApart(site, peer, host)) return { ...told, result: 'unchanged' };
  if (!dryRun) {
    await site.say('another', host.email, (trx) => note(site, trx, by, { action: 'unlink', peer, host }));
  }
  return { ...told, result: 'parted' };
}

async function holderOf({ db, snapshot }: Site, email: string): Promise<HostUser> {
  const { hosts } = snapshot();
  const wanted = canonicalEmail(email);
  const holder = (await hosts.holdersOf(db, [wanted])).get(wanted);
  const host = holder === undefined ? undefined : (await hosts.byId(db, [holder.id])).get(holder.id);
  if (host === undefined || canonicalEmail(host.email) !== wanted) {
    throw new SyncError('NOT_FOUND', `Nobody has the address ${maskEmail(wanted)} here.`);
  }
  return host;
}

async function storedOf({ db }: Site, { id }: HostUser): Promise<StoredUser | undefined> {
  return (await readShadows(db, [id])).get(id);
}

function protocolOf({ config }: Site, peer: string): 'native' | 'plugin' | undefined {
  return config.peers.find(({ name }) => name === peer)?.protocol;
}

function about({ id, email, enabled }: HostUser): Pick<LinkOutcome, 'user_id' | 'email' | 'blocked'> {
  return { user_id: id, email: maskEmail(email), blocked: !enabled };
}

/** True if it is known to have met one that was registered at the peer, and nobody said that it is another. */
function isLinked(stored: StoredUser | undefined, peer: string): boolean {
  if (stored === undefined) return false;
  const { live, parted } = stored.provenance.births;
  return parted.size === 0 && [...live].some((birth) => parseBirth(birth)?.site === peer);
}

/** True if what waits of the peer shows that the two are two already. */
async function isApart(site: Site, peer: string, host: HostUser): Promise<boolean> {
  const stored = await storedOf(site, host);
  if (stored === undefined) return false;
  const { births } = stored.provenance;
  const ids = await unprovenOf(site.db, peer, { userId: host.id, email: host.email });
  const rows = await readParked(site.db, { ids });
  return rows.some(({ record }) => record.kind === 'user' && !haveMet(births, birthsOfUser(record)));
}

/** What merging would come to. */
async function plan(site: Site, peer: string, ids: readonly number[]): Promise<readonly Outcome[]> {
  const rows = new Map((await readParked(site.db, { ids })).map((row) => [row.record, row]));
  const from: RecordSource = {
    route: site.route(peer),
    via: 'parked',
    trace: '',
    ip: null,
    keyDigest: null,
    overwrite: false,
    approved: GUARD_CLASSES,
    linked: true,
    rows,
  };
  return await site.accept([...rows.keys()], from, { dryRun: true });
}

function resultOf(outcomes: readonly Outcome[]): Pick<LinkOutcome, 'result' | 'code' | 'message' | 'registers'> {
  const registers = [...new Set(outcomes.flatMap((outcome) => outcome.registers))];
  const failed = outcomes.find(({ result }) => result === 'retry' || result === 'parked');
  if (failed === undefined) return { result: 'linked', registers };
  const { code, message } = failed;
  return {
    result: failed.result === 'retry' ? 'retry' : 'parked',
    registers,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
  };
}

async function note(
  { activity }: Site,
  trx: Transaction<unknown>,
  by: Actor,
  { action, peer, host }: { readonly action: 'link' | 'unlink'; readonly peer: string; readonly host: HostUser },
): Promise<void> {
  const said = action === 'link' ? `Linked with the account at ${peer}` : `Parted from the account at ${peer}`;
  await activity.append(trx, [
    {
      type: 'PROCESS',
      peer,
      key: by.keyDigest,
      ip: by.ip,
      trace: by.trace,
      status: 'OK',
      response: `${said} by ${by.name}`,
      content: { operation: action, by: by.name, userId: host.id, email: maskEmail(host.email) },
    },
  ]);
}
