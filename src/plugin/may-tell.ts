/**
 * Which accounts a plugin peer is told of. It writes a row over whatever account has the address there, and cannot say whether it
 * has one: so what is sent wins there, and that is decided here. Pure, but for what it reads.
 */
import type { Runner } from '../db/transaction.ts';
import { parseBirth } from '../model/births.ts';
import { presentProof, type EmailTrust, type Validation } from '../model/proof.ts';
import type { Origin } from '../model/stamp.ts';
import type { HostUser } from '../osclass/host-users.ts';
import type { Seen } from '../store/plugin-seen.ts';
import type { ReadValidation } from '../store/ports.ts';
import type { StoredUser } from '../store/shadows.ts';
import type { Link } from './link.ts';

/** What deciding needs of the site and the peer's entry. */
export interface TellingDeps {
  readonly origin: Origin;
  readonly validation: ReadValidation;
  readonly emailTrust: EmailTrust;
}

/** An account of this site, and what is known of its address at the peer. */
export interface Candidate {
  readonly host: HostUser;
  readonly stored: StoredUser;
  readonly seen: Seen | undefined;
  readonly link: Link;
}

/** Reads what holds for all accounts, and makes a function that says of one whether the peer is told of it. */
export async function makeMayTell(
  runner: Runner,
  { origin, validation, emailTrust }: TellingDeps,
): Promise<(one: Candidate) => boolean> {
  const how = await validation(runner);
  return (one) => hasMet(one) || isProved(one, origin, how) || (emailTrust === 'verified' && isOfHere(one, origin));
}

/** The account there is known to be this one. */
function hasMet({ seen, link }: Candidate): boolean {
  return link === 'holder' && seen !== undefined && seen.memory !== null && seen.hasMet;
}

function isProved({ host, stored: { provenance, shadow } }: Candidate, origin: Origin, how: Validation): boolean {
  return presentProof(provenance, host, shadow, origin, how) !== null;
}

/**
 * Where both sites are one owner's, who accepts that whoever registers on the one with somebody's address has that account on the
 * other, so does who registers here. Of those of third sites their own entry says whether they count as proved. Who never
 * opened the link of a registration has no account yet.
 */
function isOfHere({ host, stored: { provenance } }: Candidate, { site }: Origin): boolean {
  return host.active && [...provenance.births.live].every((birth) => parseBirth(birth)?.site === site);
}

/** Why one is not told. */
export const UNTOLD =
  'Nobody proved the address here, and whether the peer has an account of somebody else with it is not known; a row of ours would be written over that.';
