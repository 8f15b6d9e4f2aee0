/** Accounts that wait because a plugin peer is not told of them (see may-tell.ts): they go once that changed. */
import type { Kysely } from 'kysely';
import { canonicalEmail } from '../model/uid.ts';
import { usersUntold, wakeUntold } from '../store/outbox-unproven.ts';
import { readSeen } from '../store/plugin-seen.ts';
import { readShadows } from '../store/shadows.ts';
import { linkOf, type LinkDeps } from './link.ts';
import { makeMayTell, type TellingDeps } from './may-tell.ts';

/** What it needs. */
export interface UntoldDeps extends LinkDeps, TellingDeps {
  readonly db: Kysely<unknown>;
  readonly nowMs: () => number;
}

const AT_ONCE = 500;

/**
 * Lets those go out that the peer may be told of by now: somebody proved the address, a person said so, a row of the peer showed
 * that it is the same account, or the config has another `email_trust`.
 */
export async function wakeTold(deps: UntoldDeps, peer: string): Promise<void> {
  const { db, hosts, nowMs } = deps;
  const mayTell = await makeMayTell(db, deps);
  let after = 0;
  for (;;) {
    const ids = await usersUntold(db, peer, after, AT_ONCE);
    const last = ids.at(-1);
    if (last === undefined) return;
    after = last;
    const users = await hosts.byId(db, ids);
    const shadows = await readShadows(db, ids);
    const seen = await readSeen(
      db,
      peer,
      [...users.values()].map(({ email }) => canonicalEmail(email)),
    );
    const woken: number[] = [];
    for (const [userId, host] of users) {
      const stored = shadows.get(userId);
      const known = seen.get(canonicalEmail(host.email));
      if (stored === undefined) continue;
      const link = await linkOf(db, deps, known, { uids: stored.uids, regDate: host.regDate });
      if (mayTell({ host, stored, seen: known, link })) woken.push(userId);
    }
    await wakeUntold(db, peer, woken, nowMs());
  }
}
