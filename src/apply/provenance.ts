/** Where an account comes from once a record was merged into it, or it was made of one. Pure. */
import { isSameBirths } from '../model/births.ts';
import {
  bestProof,
  codeAfterMove,
  doubtedUntil,
  firstProvenance,
  HELD_MS,
  isCodePending,
  isOf,
  type Proof,
  type Provenance,
} from '../model/proof.ts';
import { canonicalEmail } from '../model/uid.ts';
import type { HostUser } from '../osclass/host-users.ts';
import type { UserPlan } from './decide.ts';
import type { LocalUser } from './load.ts';

/** The provenance after a plan was carried out; the same object if it is as before. `host`: as it was stored. */
export function provenanceAfterPlan(plan: UserPlan, host: HostUser, nowMs: number): Provenance {
  const { user, take, born } = plan;
  if (user === undefined) {
    return {
      ...firstProvenance({ born }, host, nowMs),
      births: plan.births,
      proof: bestProof(plan.proofs, host.email),
    };
  }
  const { provenance: before } = user;
  // An account that did not take all yet is still to give way when the record is tried again.
  const isWhole = plan.owed.every((register) => take.has(register));
  const births = isWhole ? plan.births : before.births;
  const best = bestProof(isWhole ? plan.proofs : [user.proof], host.email);
  // That of the owner's address, which alone ends the hold.
  const proof = best ?? ((before.heldUntilMs ?? 0) > nowMs ? (before.proof ?? null) : null);
  const passes = passesToOwner(plan);
  const isSettled = !take.has('s_email') && !take.has('status') && !passes;
  if (isSettled && isSameBirths(births, before.births) && isSameProof(best, user.proof)) return before;
  return {
    births,
    proof,
    resetCode: passes || isMoved(plan, host) ? codeAfterMove(host) : before.resetCode,
    heldUntilMs: passes ? nowMs + HELD_MS : before.heldUntilMs,
    doubtedUntilMs: doubtedUntil(isMoved(plan, host) && isCodePending(host) ? nowMs : undefined, before.doubtedUntilMs),
  };
}

/** True if the account passes to its owner now, and not only his address still waits for another account to leave it. */
export function passesToOwner({ overtaken, owed, take }: UserPlan): boolean {
  return overtaken && (owed.length === 0 || owed.some((register) => take.has(register)));
}

/** True if it is known of more registrations than before, or its present address by another proof. */
export function isReproved(
  user: Pick<LocalUser, 'births' | 'proof'>,
  { births, proof }: Provenance,
  { email }: Pick<HostUser, 'email'>,
): boolean {
  const isOther = proof !== undefined && !isSameProof(isOf(proof, email) ? proof : null, user.proof);
  return isOther || !isSameBirths(births, user.births);
}

/** True if the account got another address by it. */
export function isMoved({ user }: Pick<UserPlan, 'user'>, { email }: Pick<HostUser, 'email'>): boolean {
  return user !== undefined && canonicalEmail(user.email) !== canonicalEmail(email);
}

function isSameProof(one: Proof | null, other: Proof | null): boolean {
  return one === other || (one?.site === other?.site && one?.atMs === other?.atMs);
}
