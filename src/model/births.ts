/**
 * Births: the registrations that an account was made of. One that was registered here, or made here of a peer's record, has one:
 * its existence stamp (`born`) and the id that it got there, for many may be imported in one moment. Where two accounts turn out
 * to be one person's, it has the births of both. Two accounts have met exactly if they have a birth in common. Pure.
 */
import { formatStamp, isAdoption, parseStamp, STAMP_PATTERN, type Stamp } from './stamp.ts';

/**
 * The births of an account, as text: `STAMP/ID`. A version that told no births, and a plugin, tells the stamp alone, which then
 * means whichever of that moment it meets.
 */
export interface Births {
  readonly live: ReadonlySet<string>;
  /**
   * Those whose word counts no more, because nobody had proved the address there: what comes from an account that knows of no
   * other births is of before. One that is live as well is the same account, whose owner then set a password by mail; one that is
   * not gave way to another's.
   */
  readonly overruled: ReadonlySet<string>;
  /** Those of another account of the address, which a person said that it is not (`account-sync unlink`). */
  readonly parted: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();

/** So many are remembered of one account, and sent. An account gets more than one by meeting another that nobody knew of. */
export const MOST_BIRTHS = 64;

/** Pattern of one as text, for schemas. */
export const BIRTH_PATTERN = STAMP_PATTERN.replace('$', '(/\\d{1,20})?$');

/** Of an account that met no other. `userId`: on the site of the stamp, if that is known. */
export function birthsOf(born: Stamp, userId?: number): Births {
  const stamp = formatStamp(born);
  return { live: new Set([userId === undefined ? stamp : `${stamp}/${userId}`]), overruled: NONE, parted: NONE };
}

/** True if they tell no registration: of an account that a plugin has long had, and of which it does not say when it was registered. */
export function tellNothing({ live }: Births): boolean {
  return [...live].every((birth) => !birth.includes('/') && (parseBirth(birth)?.ms ?? 0) === 0);
}

/** True if the existence stamp of an account says all of its births. */
export function areOfStamp(births: Births, born: Stamp): boolean {
  return isSameBirths(births, birthsOf(born));
}

/** Births of which the one or the other tells the stamp alone, as both tell them. */
function inFull(one: Births, other: Births): readonly [Births, Births] {
  const known = [...every(one), ...every(other)].filter((birth) => birth.includes('/'));
  if (known.length === 0) return [one, other];
  const meant = Map.groupBy(known, stampOf);
  const full = (births: ReadonlySet<string>): ReadonlySet<string> =>
    new Set([...births].flatMap((birth) => meant.get(birth) ?? [birth]));
  const allOf = ({ live, overruled, parted }: Births): Births => ({
    live: full(live),
    overruled: full(overruled),
    parted: full(parted),
  });
  return [allOf(one), allOf(other)];
}

/** When and where it was; undefined for what is no birth. */
export function parseBirth(birth: string): Stamp | undefined {
  return parseStamp(stampOf(birth));
}

function stampOf(birth: string): string {
  return birth.split('/', 1)[0] ?? birth;
}

/** Of an account that both turned out to be. */
export function uniteBirths(ours: Births, theirs: Births): Births {
  const [one, other] = inFull(ours, theirs);
  if (isWithin(other, one)) return isSameBirths(one, ours) ? ours : one;
  const live = new Set(
    [...one.live, ...other.live].filter((birth) => !isGivenUp(birth, one) && !isGivenUp(birth, other)),
  );
  const overruled = new Set([...one.overruled, ...other.overruled]);
  const parted = [...one.parted, ...other.parted].filter((birth) => !live.has(birth) && !overruled.has(birth));
  return { live, overruled, parted: new Set(parted) };
}

/** Of an account that a person said to be another than those it was taken for: as if it had been registered at `born`. */
export function partBirths(births: Births, born: Stamp): Births {
  return { ...birthsOf(born), parted: new Set([...all(births), ...births.parted]) };
}

/** Of the account if a person said that it may be another's after all. */
export function withoutParted(births: Births): Births {
  return { ...births, parted: NONE };
}

/** True if a person said that the two are not one, and nobody said otherwise since. */
export function arePartedBirths(ours: Births, theirs: Births): boolean {
  const [one, other] = inFull(ours, theirs);
  const isOf = (parted: ReadonlySet<string>, births: Births): boolean => all(births).some((birth) => parted.has(birth));
  return !haveMet(one, other) && (isOf(one.parted, other) || isOf(other.parted, one));
}

/** Likewise, where the two never met, and the address is proved of `winner` and not of `loser`. */
export function overruleBirths(theirs: Births, ours: Births): Births {
  const [winner, loser] = inFull(theirs, ours);
  const lost = [...loser.live].filter((birth) => !winner.live.has(birth));
  return uniteBirths(winner, { ...loser, live: NONE, overruled: new Set([...loser.overruled, ...lost]) });
}

/** Of an account that nobody had proved, once its owner set a password by mail: as if registered anew. */
export function takeOverBirths(anew: Stamp, { live, overruled, parted }: Births): Births {
  return { live: new Set([formatStamp(anew), ...live]), overruled: new Set([...overruled, ...live]), parted };
}

/** Dates have whole seconds, and a registration takes a moment. */
const SECONDS_OFF_MS = 2_000;

/** True if both are known to be one account. */
export function haveMet(one: Births, other: Births): boolean {
  const [ours, theirs] = inFull(one, other);
  return all(ours).some((birth) => theirs.live.has(birth) || theirs.overruled.has(birth));
}

/** True if the account that they tell of was made of nobody but that which `ours` tells of. */
export function areWithin(theirs: Births, ours: Births): boolean {
  const [inner, outer] = inFull(theirs, ours);
  const known = new Set(all(outer));
  return [...inner.live].every((birth) => known.has(birth));
}

/**
 * True if nothing is known of both but what gave way, to the one or to the other: where its owner took that over, the account
 * went on as his, and meets what else he has only now.
 */
export function haveMetInLostOnly(one: Births, other: Births): boolean {
  const [ours, theirs] = inFull(one, other);
  return all(ours).every((birth) => !all(theirs).includes(birth) || isGivenUp(birth, ours) || isGivenUp(birth, theirs));
}

/**
 * True if both may tell of one registration, which a daemon of one of the sites found by its date only, for that site was
 * installed again: the date travels with the account. Anybody can see when somebody registered, and do so elsewhere in the
 * same second: it counts only where both addresses are proved.
 */
export function areOfOneMoment(one: Births, other: Births): boolean {
  const [ours, theirs] = [momentsOf(one), momentsOf(other)];
  let next = 0;
  return ours.some((our) => {
    while ((theirs[next]?.ms ?? Infinity) < our.ms - SECONDS_OFF_MS) next += 1;
    for (let i = next; (theirs[i]?.ms ?? Infinity) <= our.ms + SECONDS_OFF_MS; i++) {
      const their = theirs[i] as Stamp;
      if (our.site !== their.site && (isAdoption(our) || isAdoption(their))) return true;
    }
    return false;
  });
}

/** The registrations of which a time is known, in its order. */
function momentsOf({ live }: Births): Stamp[] {
  const stamps = [...live].flatMap((birth) => parseBirth(birth) ?? []);
  return stamps.filter(({ ms }) => ms > 0).toSorted((a, b) => a.ms - b.ms);
}

/**
 * When the owner last set a password by mail that the one does not know of, which is behind by that; 0: he did not.
 * Only such births have no id.
 */
export function takenOverMs(behind: Births, ahead: Births): number {
  const [one, other] = inFull(behind, ahead);
  if (hasGivenWay(one, other)) return 0;
  const isByMail = (birth: string): boolean => !birth.includes('/') && !other.overruled.has(birth);
  const anew = [...other.live].filter((birth) => isByMail(birth) && !all(one).includes(birth));
  return Math.max(0, ...anew.map((birth) => parseBirth(birth)?.ms ?? 0));
}

/** True if `one` tells of an account as it was before it was overruled, as `other` knows. */
export function isBehind(ours: Births, theirs: Births): boolean {
  const [one, other] = inFull(ours, theirs);
  return isOverruledBy(one, other) && !isOverruledBy(other, one);
}

/** True if `one` is behind, and gave way to another's account. */
export function hasGivenWay(ours: Births, theirs: Births): boolean {
  const [one, other] = inFull(ours, theirs);
  return isBehind(one, other) && [...one.live].every((birth) => isGivenUp(birth, other));
}

/** True if a removal of an account of the one means an account of the other. */
export function concerns(removed: Births, account: Births): boolean {
  return haveMet(removed, account) && !isBehind(removed, account);
}

function isOverruledBy({ live }: Births, { overruled }: Births): boolean {
  return live.size > 0 && [...live].every((birth) => overruled.has(birth));
}

/** True if that was an account that gave way to another's. */
function isGivenUp(birth: string, { live, overruled }: Births): boolean {
  return overruled.has(birth) && !live.has(birth);
}

/** True if the outer says all that the inner does: of a birth it is live, then overruled, then given up. */
function isWithin(inner: Births, outer: Births): boolean {
  const isKnown = (birth: string): boolean => outer.live.has(birth) || outer.overruled.has(birth);
  return (
    [...inner.overruled].every((birth) => outer.overruled.has(birth)) &&
    [...inner.overruled].every((birth) => !isGivenUp(birth, inner) || isGivenUp(birth, outer)) &&
    [...inner.live].every(isKnown) &&
    [...inner.parted].every((birth) => outer.parted.has(birth) || isKnown(birth))
  );
}

function all({ live, overruled }: Pick<Births, 'live' | 'overruled'>): string[] {
  return [...live, ...overruled];
}

function every(births: Births): string[] {
  return [...all(births), ...births.parted];
}

/** True if both say the same. */
export function isSameBirths(one: Births, other: Births): boolean {
  return isWithin(one, other) && isWithin(other, one);
}

/** Text form: stamps with blanks between; `!` before those that are overruled, `~` before those of others. */
export function formatBirths({ live, overruled, parted }: Births): string {
  const marked = (births: ReadonlySet<string>, mark: string): string[] =>
    [...births].toSorted().map((birth) => `${mark}${birth}`);
  return [...marked(live, ''), ...marked(overruled, '!'), ...marked(parted, '~')].slice(0, MOST_BIRTHS).join(' ');
}

/** Reads the text form. */
export function parseBirths(text: string): Births {
  const words = text.split(' ').filter((word) => word !== '');
  const marked = (mark: string): Set<string> =>
    new Set(words.filter((word) => word.startsWith(mark)).map((word) => word.slice(1)));
  return {
    live: new Set(words.filter((word) => !word.startsWith('!') && !word.startsWith('~'))),
    overruled: marked('!'),
    parted: marked('~'),
  };
}
