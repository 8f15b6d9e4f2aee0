/**
 * Whose address it is, case by case: what three sites have of an address that they never spoke of, what happens then, and what
 * comes of it whatever arrives first.
 */
import type { Host } from '../../support/osclass/host.ts';
import { resetByMail } from '../../support/validation.ts';

/** What a site has of an address before a daemon first runs. */
export type Holder =
  /** Nobody. */
  | 'nobody'
  /** An account that its owner proved, on a site that asks for it. */
  | 'proven'
  /** One that nobody proved: inactive where the site asks for a proof, else active. */
  | 'unproven'
  /** The same, blocked. */
  | 'proven, blocked'
  | 'unproven, blocked';

/** An act on one of the sites, at index 0 to 2. */
export interface Act {
  readonly on: number;
  readonly act: (host: Host, email: string) => Promise<unknown>;
}

/** What comes of a case. */
export interface End {
  /**
   * Whose password all sites end with, as an index: and everything else equal, nothing waiting. `gone`: nobody has the address
   * any more. `apart`: each account stays as it is and waits at the others. `equal`: one and the same password, whosever.
   */
  readonly all: number | 'gone' | 'apart' | 'equal';
  readonly status?: 'active' | 'inactive' | 'blocked';
}

/** One case. */
export interface ProofCase {
  readonly name: string;
  readonly holders: readonly [Holder, Holder, Holder];
  /** The site whose account was edited last; the first that has one unless given. */
  readonly newest?: number;
  /** Before anything is sent. */
  readonly first?: readonly Act[];
  /** Once everything was. */
  readonly later?: readonly Act[];
  readonly end: End;
}

const on = (site: number, act: Act['act']): Act => ({ on: site, act });
const confirm = (site: number): Act => on(site, ({ person }, email) => person.clickValidationLink(email));
const reset = (site: number): Act => on(site, (host, email) => resetByMail(host, email));
const remove = (site: number): Act => on(site, ({ person }, email) => person.deleteAccount(email));
const block = (site: number): Act => on(site, ({ admin }, email) => admin.block(email));
const unblock = (site: number): Act => on(site, ({ admin }, email) => admin.unblock(email));
const activate = (site: number): Act => on(site, ({ admin }, email) => admin.activate(email));
const deactivate = (site: number): Act => on(site, ({ admin }, email) => admin.deactivate(email));
const rename = (site: number): Act => on(site, ({ person }, email) => person.editProfile(email, { name: 'Renamed' }));
const setPassword = (site: number): Act => on(site, ({ person }, email) => person.changePassword(email));

const [P, U, N] = ['proven', 'unproven', 'nobody'] as const;
const [PB, UB] = ['proven, blocked', 'unproven, blocked'] as const;
const [A, B, C] = [0, 1, 2];
const active = (all: number): End => ({ all, status: 'active' });
const inactive = (all: number): End => ({ all, status: 'inactive' });
const blocked = (all: number): End => ({ all, status: 'blocked' });
const apart: End = { all: 'apart' };

/** `alpha` and `beta` have addresses proved, `gamma` does not. */
export const NATIVE_CASES: readonly ProofCase[] = [
  // One site has it.
  { name: 'proven on one site: a new account on the others', holders: [P, N, N], end: active(A) },
  { name: 'never confirmed on one site: the same on the others', holders: [U, N, N], end: inactive(A) },
  { name: 'active without a proof: the same on the others', holders: [N, N, U], end: active(C) },
  { name: 'blocked on one site: blocked on the others', holders: [PB, N, N], end: blocked(A) },
  { name: 'blocked where nobody proves: blocked on the others', holders: [N, N, UB], end: blocked(C) },
  // Proven on both sides.
  { name: 'proven twice: the later password', holders: [P, P, N], newest: B, end: active(B) },
  { name: 'proven twice, the other way round', holders: [P, P, N], newest: A, end: active(A) },
  { name: 'proven by a reset by mail where nobody validates', holders: [P, N, U], first: [reset(C)], end: active(C) },
  { name: 'proven twice, one deactivated later', holders: [P, P, N], first: [deactivate(A)], end: inactive(A) },
  { name: 'proven three times', holders: [P, P, U], newest: B, first: [reset(C)], end: active(C) },
  // Proven on one side.
  { name: 'proven and never confirmed', holders: [P, U, N], end: active(A) },
  { name: 'proven and never confirmed, which was edited later', holders: [P, U, N], newest: B, end: active(A) },
  { name: 'never confirmed and proven', holders: [U, P, N], newest: A, end: active(B) },
  { name: 'proven and active without a proof', holders: [P, N, U], newest: C, end: active(A) },
  {
    name: 'active without a proof, whose password is new',
    holders: [P, N, U],
    first: [setPassword(C)],
    end: active(A),
  },
  { name: 'never confirmed, whose password is new', holders: [P, U, N], first: [setPassword(B)], end: active(A) },
  { name: 'active without a proof, deactivated', holders: [P, N, U], first: [deactivate(C)], end: active(A) },
  { name: 'proven, and two that are not', holders: [P, U, U], newest: C, end: active(A) },
  { name: 'two that are proven, and one that is not', holders: [P, P, U], newest: B, end: active(B) },
  {
    name: 'two that are proven, and one that is not and was edited last',
    holders: [P, P, U],
    newest: C,
    end: active(B),
  },
  {
    name: 'reset by mail where nobody validates, and never confirmed',
    holders: [U, N, U],
    first: [reset(C)],
    end: active(C),
  },
  { name: 'the same with two of them', holders: [U, U, U], first: [reset(C)], end: active(C) },
  // Proven on no side.
  { name: 'never confirmed twice', holders: [U, U, N], end: apart },
  { name: 'never confirmed, and active without a proof', holders: [U, N, U], newest: C, end: apart },
  { name: 'not proven on any of three', holders: [U, U, U], newest: C, end: apart },
  // Later.
  { name: 'never confirmed twice, then one is', holders: [U, U, N], later: [confirm(B)], end: active(B) },
  {
    name: 'never confirmed twice, then an administrator activates one',
    holders: [U, U, N],
    later: [activate(A)],
    end: active(A),
  },
  { name: 'apart, then a reset by mail where nobody validates', holders: [U, N, U], later: [reset(C)], end: active(C) },
  { name: 'not proven on any of three, then one is', holders: [U, U, U], later: [confirm(A)], end: active(A) },
  { name: 'apart, then one is deleted', holders: [U, U, N], later: [remove(A)], end: inactive(B) },
  // Blocked.
  { name: 'blocked here, proven there', holders: [PB, P, N], newest: B, end: blocked(B) },
  { name: 'blocked here, never confirmed there', holders: [PB, U, N], newest: B, end: blocked(A) },
  { name: 'blocked here, active without a proof there', holders: [PB, N, U], newest: C, end: blocked(A) },
  { name: 'blocked twice', holders: [PB, PB, N], newest: B, end: blocked(B) },
  { name: 'blocked here, proven and not proven there', holders: [PB, P, U], newest: B, end: blocked(B) },
  {
    name: 'blocked, then an administrator lifts it',
    holders: [PB, P, N],
    newest: B,
    later: [unblock(A)],
    end: active(B),
  },
  { name: 'blocked, then lifted where it came to', holders: [PB, U, N], later: [unblock(B)], end: active(A) },
  // Removed.
  { name: 'proven, and a removal of one that was not', holders: [P, U, N], first: [remove(B)], end: active(A) },
  { name: 'proven, and a removal where nobody validates', holders: [P, N, U], first: [remove(C)], end: active(A) },
  { name: 'proven, and a removal of a proven one', holders: [P, P, N], first: [remove(B)], end: active(A) },
  { name: 'never confirmed, and a removal of another', holders: [U, U, N], first: [remove(B)], end: inactive(A) },
  { name: 'blocked here, and a removal there', holders: [PB, P, N], first: [remove(B)], end: blocked(A) },
  { name: 'proven, two others removed', holders: [P, U, U], first: [remove(B), remove(C)], end: active(A) },
  // They have met.
  { name: 'met: a removal removes', holders: [P, N, N], later: [remove(B)], end: { all: 'gone' } },
  {
    name: 'met: a removal where nobody validates removes',
    holders: [P, N, N],
    later: [remove(C)],
    end: { all: 'gone' },
  },
  { name: 'met, not proven: a removal removes', holders: [N, N, U], later: [remove(A)], end: { all: 'gone' } },
  { name: 'met: a password that is set anywhere counts', holders: [P, N, N], later: [setPassword(C)], end: active(C) },
  { name: 'met: a block anywhere counts', holders: [P, N, N], later: [block(C)], end: blocked(A) },
  { name: 'met: blocked, and lifted elsewhere', holders: [P, N, N], later: [block(C), unblock(C)], end: active(A) },
  { name: 'met: deactivated anywhere', holders: [P, N, N], later: [deactivate(B)], end: inactive(A) },
  { name: 'met, not proven: confirmed elsewhere', holders: [U, N, N], later: [activate(B)], end: active(A) },
  {
    name: 'merged: a password that is set anywhere counts',
    holders: [P, P, N],
    later: [setPassword(A)],
    end: active(A),
  },
  { name: 'merged: a removal removes', holders: [P, P, N], later: [remove(B)], end: { all: 'gone' } },
];

/** `alpha` and `beta` are daemons whose sites have addresses proved; `gamma` runs the plugin, which cannot tell. */
export const PLUGIN_CASES: readonly ProofCase[] = [
  { name: 'nobody here: a new account', holders: [N, N, P], end: active(C) },
  { name: 'nobody here: a new one that was never confirmed', holders: [N, N, U], end: inactive(C) },
  { name: 'proven here, registered there', holders: [P, N, U], end: active(A) },
  { name: 'proven here, confirmed there', holders: [P, N, P], newest: C, end: active(A) },
  { name: 'proven on the other daemon only', holders: [N, P, P], newest: C, end: active(B) },
  { name: 'proven on both', holders: [P, P, P], newest: C, end: active(B) },
  { name: 'never confirmed and proven, and registered there', holders: [U, P, P], newest: C, end: active(B) },
  { name: 'blocked here, registered there', holders: [PB, N, P], newest: C, end: blocked(A) },
  { name: 'proven here, and a removal there', holders: [P, N, U], first: [remove(C)], end: active(A) },
  { name: 'met: an edit there counts', holders: [P, P, N], later: [rename(C)], end: active(A) },
  { name: 'met: a block there counts', holders: [P, N, N], later: [block(C)], end: blocked(A) },
];

/** As native ones, but `gamma`, where nobody proves addresses, is said to be trusted: `email_trust: verified`. */
export const VERIFIED_CASES: readonly ProofCase[] = [
  { name: 'nobody else has it', holders: [N, N, U], end: active(C) },
  { name: 'active there counts as proven', holders: [U, N, U], end: active(C) },
  { name: 'active there counts as proven on both', holders: [U, U, U], end: active(C) },
  { name: 'inactive there does not', holders: [U, N, U], first: [deactivate(C)], end: apart },
  { name: 'proven here and active there are merged', holders: [P, N, U], newest: C, end: { all: 'equal' } },
  { name: 'a block here stays', holders: [PB, N, U], newest: C, end: { all: 'equal', status: 'blocked' } },
];
