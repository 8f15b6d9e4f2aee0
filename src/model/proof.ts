/**
 * Proofs: who showed, and where, that the address of an account is the account's owner's. A proof is of one account and one
 * address: whoever changes the address has to prove the new one. It is got by an act on a site that only the owner of the
 * mailbox can do there, or by a person's word (`account-sync link`), and travels with the account. Pure.
 */
import { hash } from 'node:crypto';
import { hashValues, type RegisterName } from './register.ts';
import { birthsOf, parseBirth, takeOverBirths, type Births } from './births.ts';
import type { Shadow } from './shadow.ts';
import { MAX_COUNTER, type Origin, type SiteName, type Stamp } from './stamp.ts';
import { canonicalEmail } from './uid.ts';

/** Where and when an address was proved. */
export interface Proof {
  readonly site: SiteName;
  readonly atMs: number;
  /** Digest of the address. */
  readonly address: string;
}

/**
 * How far a peer's word on proofs goes. `auto`: it is believed. `verified`: active accounts that were registered there count as proved
 * whatever it says.
 * `unproven`: none of its proofs counts. `none`: likewise, and new accounts arrive inactive and without password.
 */
export type EmailTrust = 'auto' | 'verified' | 'unproven' | 'none';

/** True if the proofs of such a peer may count, and so what it took for one account by them. */
export function isBelieved(trust: EmailTrust): boolean {
  return trust === 'auto' || trust === 'verified';
}

/** What a peer says of an account. */
export interface SaidProof {
  /** Absent: the peer cannot tell. */
  readonly proof: Proof | null | undefined;
  readonly email: string;
  readonly active: boolean;
  readonly born: Stamp;
  readonly births: Births;
}

/** How all that waits of a peer is let through at once, and what that risks. */
export const TRUST_OF_A_PEER =
  "Set email_trust: verified in its entry only if addresses of that site are proved, or it and this one are yours and you accept that whoever registers there with somebody else's address gets that account here.";

/** The proof that counts of an account of a peer; null: none. */
export function judgeProof(said: SaidProof, peer: string, trust: EmailTrust): Proof | null {
  const { proof, email, active, born, births } = said;
  // What it only passes on is of a site whose entry says for itself how far that is believed.
  const isOfThere = [...births.live].every((birth) => parseBirth(birth)?.site === peer);
  switch (trust) {
    case 'auto':
      return proof ?? null;
    case 'verified':
      return proof ?? (active && isOfThere ? proofOf(email, peer, born.ms) : null);
    case 'unproven':
    case 'none':
      return null;
    default:
      return trust satisfies never;
  }
}

/** How the site goes about addresses. */
export interface Validation {
  /**
   * Since then it asks whoever registers, or changes the address, to open a link that it mails; milliseconds, `Infinity`: it does not.
   */
  readonly sinceMs: number;
  /** It did so when its accounts were first looked at. */
  readonly didAtFirstSight: boolean;
  /** They are still being looked at for the first time: who is found now was there before. */
  readonly isFirstSight: boolean;
}

/** Where an account comes from, and what is known of its address. */
export interface Provenance {
  readonly births: Births;
  /** Null: nobody proved it; undefined: the account is as it was at first sight, see {@link presentProof}. */
  readonly proof: Proof | null | undefined;
  /** Digest of the `s_pass_code` last seen, '' if there was none; undefined: nobody looked. */
  readonly resetCode: string | undefined;
  /** Until then a change of address or password and a removal that come from this site wait at the peers. */
  readonly heldUntilMs: number | undefined;
  /** A password set by mail until then proves nothing: its code may have been mailed to another address. */
  readonly doubtedUntilMs: number | undefined;
}

/** Whoever lost an account to its owner may be logged in for about so long. */
export const HELD_MS = 30 * 86_400_000;

/** Until when something waits of which a peer says so; undefined: it does not. */
export function heldUntil(saidMs: number, nowMs: number): number | undefined {
  return saidMs > nowMs ? Math.min(saidMs, nowMs + HELD_MS) : undefined;
}

/** Of an account at first sight: nobody knows to whom a code was mailed that is there already. */
export function firstProvenance(
  { born }: Pick<Shadow, 'born'>,
  account: Pick<ProvingAccount, 'id' | 'resetCode' | 'isResetDone'>,
  nowMs: number,
): Provenance {
  return {
    births: birthsOf(born, account.id),
    proof: undefined,
    resetCode: digestOfCode(account.resetCode),
    heldUntilMs: undefined,
    doubtedUntilMs: doubtedUntil(isCodePending(account) ? nowMs : undefined, undefined),
  };
}

/** Of an account that is found, and nobody saw it come. */
export function foundProvenance(
  shadow: Pick<Shadow, 'born'>,
  account: ProvingAccount,
  { site }: Origin,
  validation: Validation,
  nowMs: number,
): Provenance {
  const first = firstProvenance(shadow, account, nowMs);
  return validation.isFirstSight ? first : { ...first, proof: proofOfRegistration(shadow, account, site, validation) };
}

/** An account that came to be while the site validates addresses is proved as soon as it is active. */
function proofOfRegistration(
  { born }: Pick<Shadow, 'born'>,
  { active, email }: ProvingAccount,
  site: SiteName,
  { sinceMs }: Validation,
): Proof | null {
  return active && born.ms > sinceMs ? proofOf(email, site, born.ms) : null;
}

/**
 * Osclass takes a code for a day, and has one for both: for a new password it is mailed to the address, for a change of address to
 * the new one. Two hours more, for a clock that is set back.
 */
const CODE_LIVES_MS = 26 * 3_600_000;

/** Until when codes are doubted that may have been mailed elsewhere at a time. */
export function doubtedUntil(mailedMs: number | undefined, before: number | undefined): number | undefined {
  if (mailedMs === undefined) return before;
  return Math.max(before ?? 0, mailedMs + CODE_LIVES_MS);
}

/** An account of this site, as far as it matters here. */
export interface ProvingAccount {
  readonly id: number;
  readonly email: string;
  readonly active: boolean;
  /** `s_pass_code`. */
  readonly resetCode: string | null;
  /** `s_pass_date` is that which a finished reset leaves. */
  readonly isResetDone: boolean;
}

/** A proof of the address. */
export function proofOf(email: string, site: SiteName, atMs: number): Proof {
  return { site, atMs, address: digestOf(canonicalEmail(email)) };
}

/** Of an account that was moved by whoever may have lost it, and whose owner's address nobody here had proved. */
function proofOfNothing({ site }: Origin): Proof {
  return { site, atMs: 0, address: '' };
}

/** True if it is of that address. */
export function isOf(proof: Proof | null | undefined, email: string): proof is Proof {
  return proof !== null && proof !== undefined && proof.address === digestOf(canonicalEmail(email));
}

/**
 * The proof that counts for an account as it is now; null: none. One that is as it was at first sight is proved if the site
 * asked for proofs then, and the account is active and came to be here.
 */
export function presentProof(
  { proof, births }: Pick<Provenance, 'proof' | 'births'>,
  { email, active }: Pick<ProvingAccount, 'email' | 'active'>,
  { born }: Pick<Shadow, 'born'>,
  { site }: Origin,
  { didAtFirstSight }: Pick<Validation, 'didAtFirstSight'>,
): Proof | null {
  if (proof !== undefined) return isOf(proof, email) ? proof : null;
  const isFromHere = born.site === site && births.live.size + births.overruled.size === 1;
  return didAtFirstSight && active && isFromHere ? proofOf(email, site, born.ms) : null;
}

/** Of several proofs of one address the earliest, everywhere the same one; null: none is of that address. */
export function bestProof(proofs: readonly (Proof | null | undefined)[], email: string): Proof | null {
  const valid = proofs.filter((proof) => isOf(proof, email));
  return valid.toSorted((a, b) => a.atMs - b.atMs || (a.site < b.site ? -1 : 1))[0] ?? null;
}

/** An account before and after a change that was made on this site, not by a peer. */
export interface LocalChange {
  readonly before: Provenance;
  /** Before and after the change. */
  readonly shadows: readonly [Shadow, Shadow];
  readonly changed: readonly RegisterName[];
  /** As it is now. */
  readonly account: ProvingAccount;
  /** When a code may have been mailed to another address; undefined: none was, since the last look. */
  readonly mailedElsewhereMs?: number | undefined;
}

/**
 * What a change on this site proves: an activation on a site that validates addresses; and, on any site, a password that was set by
 * the link in a mail. A change of address proves nothing of the new one, wherever it is made. Who sets a password by mail on an
 * account of which nobody had proved the address where it was registered takes it over from whoever registered it.
 */
export function provenanceAfter(change: LocalChange, origin: Origin, validation: Validation): Provenance {
  const { before, shadows, changed, account } = change;
  const [was, is] = shadows;
  const isMoved = changed.includes('s_email');
  const known = presentProof(before, { email: account.email, active: !isInactive(was) }, was, origin, validation);
  const wasProved = before.proof === undefined ? known !== null : before.proof !== null;
  const doubtedUntilMs = doubtedUntil(change.mailedElsewhereMs, before.doubtedUntilMs);
  const doneAtMs = (register: RegisterName): number => is.registers.get(register)?.stamp.ms ?? 0;
  const isReset =
    changed.includes('password') && wasReset(before, account) && doneAtMs('password') > (doubtedUntilMs ?? 0);
  // Whoever moved it to the address is not whoever registered it.
  const isMovedThere = was.registers.get('s_email')?.prior !== undefined;
  const isOthers = isOf(before.proof, account.email) && isProvedElsewhere(before.proof, before.births);
  const isRegistrants = isMovedThere || (wasProved && !isOthers);
  const anew = isReset && !isRegistrants ? is.registers.get('password')?.stamp : undefined;
  const after = {
    ...before,
    births: anew === undefined ? before.births : takeOverBirths(birthByMail(anew, account), before.births),
    resetCode: isMoved ? codeAfterMove(account) : digestOfCode(account.resetCode),
    doubtedUntilMs,
  };
  const isValidated = (register: RegisterName): boolean => doneAtMs(register) > validation.sinceMs;
  const isHeld = (register: RegisterName): boolean => doneAtMs(register) <= (before.heldUntilMs ?? 0);
  const provedBy = (register: RegisterName): Provenance => {
    if (isHeld(register) && before.proof && !isOf(before.proof, account.email)) return after;
    return { ...after, proof: proofOf(account.email, origin.site, doneAtMs(register)), heldUntilMs: undefined };
  };
  // Whoever lost the account may have moved it: as long as it is held, no other address than that of its owner is proved.
  if (isMoved && isHeld('s_email')) return { ...after, proof: before.proof ?? proofOfNothing(origin) };
  // The link that confirms a new address opens with any code that Osclass mailed, also to the address of before.
  if (isMoved) return { ...after, proof: null };
  if (isReset) return provedBy('password');
  if (changed.includes('status')) {
    const isActivated = account.active && isInactive(was);
    return isActivated && isValidated('status') ? provedBy('status') : { ...after, proof: before.proof ?? known };
  }
  return after.resetCode === before.resetCode && doubtedUntilMs === before.doubtedUntilMs ? before : after;
}

/**
 * True if whoever registered the account need not be who proved its address: that was on another site, and later. What counts as
 * proved by the entry of a peer does so since the registration.
 */
function isProvedElsewhere({ site, atMs }: Proof, { live }: Births): boolean {
  return [...live].every((birth) => {
    const registered = parseBirth(birth);
    return registered?.site !== site && registered?.ms !== atMs;
  });
}

/** Of an account whose owner set a password by mail. Several may do so at once: each has a counter of its own. */
function birthByMail(stamp: Stamp, { email }: Pick<ProvingAccount, 'email'>): Stamp {
  return { ...stamp, counter: 1 + (Number.parseInt(digestOf(canonicalEmail(email)).slice(0, 8), 16) % MAX_COUNTER) };
}

/** Of an account that was registered on this site. */
export function registeredProvenance(
  shadow: Shadow,
  account: ProvingAccount,
  { site }: Origin,
  validation: Validation,
): Provenance {
  const proof = proofOfRegistration(shadow, account, site, validation);
  return { ...firstProvenance(shadow, account, shadow.born.ms), proof };
}

/** Characters of the code that Osclass leaves when a password was set by the link in a mail. */
const DONE_CODE_LENGTH = 50;

/** True if a code was made or used since the account was last looked at. */
export function isCodeNew({ resetCode }: Provenance, account: Pick<ProvingAccount, 'resetCode'>): boolean {
  return resetCode !== digestOfCode(account.resetCode);
}

/** True if the password was set by the link in a mail since the account was last looked at. */
function wasReset({ resetCode }: Provenance, account: ProvingAccount): boolean {
  const isDone = account.isResetDone && account.resetCode?.length === DONE_CODE_LENGTH;
  return isDone && resetCode !== undefined && resetCode !== digestOfCode(account.resetCode);
}

/**
 * What is remembered of the code of an account that got another address, wherever it did. Who was mailed a code before may use it
 * now, which proves nothing of the new address: then nobody looked.
 */
export function codeAfterMove({
  resetCode,
  isResetDone,
}: Pick<ProvingAccount, 'resetCode' | 'isResetDone'>): string | undefined {
  return isCodePending({ resetCode, isResetDone }) ? undefined : digestOfCode(resetCode);
}

/** True if somebody was mailed a code that was not used yet. */
export function isCodePending({ resetCode, isResetDone }: Pick<ProvingAccount, 'resetCode' | 'isResetDone'>): boolean {
  return resetCode !== null && resetCode !== '' && !isResetDone;
}

function isInactive({ registers }: Shadow): boolean {
  const known = registers.get('status')?.hash;
  return ['0', '1'].some((enabled) => known === hashValues({ b_active: '0', b_enabled: enabled }));
}

function digestOfCode(code: string | null): string {
  return code === null || code === '' ? '' : digestOf(code);
}

/** 64 bits, in hex. */
function digestOf(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 16);
}

/** Text form: digest of the address, time, site; '' for none. */
export function formatProof(proof: Proof | null): string {
  return proof === null ? '' : `${proof.address} ${proof.atMs} ${proof.site}`;
}

/** Reads the text form. */
export function parseProof(text: string): Proof | null {
  const [address, atMs, site] = text.split(' ');
  if (address === undefined || atMs === undefined || site === undefined) return null;
  return { address, atMs: Number(atMs), site };
}
