/** Adoption: the first shadow of a user that was there before anything of ours looked. Pure. */
import { firstShadow } from '../model/absorb.ts';
import type { Value } from '../model/register.ts';
import type { Shadow } from '../model/shadow.ts';
import { adoptionStamp, type Origin } from '../model/stamp.ts';
import type { HostUser } from '../osclass/host-users.ts';

/** What adoption needs. */
export interface AdoptDeps {
  readonly origin: Origin;
  /** Local time of the site → milliseconds since 1970, undefined for sentinel dates. */
  readonly toEpochMs: (local: string) => number | undefined;
  readonly nowMs: () => number;
}

/** A site that states a wrong time zone, or none, may be half a day ahead of us. */
const DAY_MS = 86_400_000;

/**
 * Every register as of the last edit of the row: `dt_mod_date`, or else `dt_reg_date`, or else 0, at the lowest counter.
 * A date that is no date, or lies in the future, says nothing: under it no later edit would ever win. A password that opens
 * nothing was never set: it gives way to any other.
 */
export function adopt(user: HostUser, { origin, toEpochMs, nowMs }: AdoptDeps): Shadow {
  const now = nowMs();
  const sane = (local: string | null): number | undefined => {
    const ms = local === null ? undefined : toEpochMs(local);
    return ms === undefined || ms > now + DAY_MS ? undefined : Math.min(ms, now);
  };
  const registered = sane(user.regDate);
  const edited = sane(user.modDate) ?? registered;
  const shadow = firstShadow(
    user.registers,
    adoptionStamp(edited ?? 0, origin),
    adoptionStamp(registered ?? 0, origin),
  );
  const password = shadow.registers.get('password');
  if (password === undefined || !isMissing(user.registers.get('password')?.['s_password'])) return shadow;
  const registers = new Map(shadow.registers).set('password', { ...password, stamp: adoptionStamp(0, origin) });
  return { ...shadow, registers };
}

/** As {@link maskHash} shows a hash, or nearly so. */
function isMasked(password: string): boolean {
  return password.includes('*'.repeat(10)) && password.endsWith('...');
}

/** Empty, as the PHP plugin leaves it; masked, as it stores what a feed gave it; or what this program puts for none. */
function isMissing(password: Value | undefined): boolean {
  return typeof password === 'string' && (password === '' || password.startsWith('!') || isMasked(password));
}
