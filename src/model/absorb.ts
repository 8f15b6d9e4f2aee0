/** Absorb: work out what changed on our site since the shadow was taken. Pure; drain, apply and re-scan share it. */
import { HASH_OF_NOTHING, ROW, hashValues, isRowHash, localeOf, type RegisterName, type Values } from './register.ts';
import type { RegisterState, Shadow } from './shadow.ts';
import { adoptionStamp, nextStamp, type Origin, type Stamp } from './stamp.ts';

/** What a look at the host found. */
export interface Absorbed {
  /** The shadow as it is now; the same object if nothing changed. */
  readonly shadow: Shadow;
  /** Registers that a person or program changed here since. */
  readonly changed: RegisterName[];
}

/** A description that is not there. */
export const NO_DESCRIPTION: Values = { s_info: null, [ROW]: 'none' };

/** The values of a description in one language. */
export function descriptionValues(text: string | null): Values {
  return { s_info: text, [ROW]: 'here' };
}

/**
 * Compares the registers of a host row with its shadow. A changed register gets the stamp of its marker, or one just
 * above what it had. A register that was not looked after before is adopted as of the last edit of the profile, and peers
 * hear of it; if it is blank, then as of never. One that is no longer synchronised is forgotten: if its column comes back
 * empty, that is no edit.
 *
 * @param markedAtMs time of the marker, or now where there is none
 * @param describes false while the table of descriptions cannot be seen: that a text is not there says nothing then
 * @param unsent true while an earlier change of the user waits in an outbox: then `prior` stays what peers last knew
 */
export function absorb(
  before: Shadow,
  host: ReadonlyMap<RegisterName, Values>,
  markedAtMs: number,
  origin: Origin,
  unsent: boolean,
  describes = true,
): Absorbed {
  const changed: RegisterName[] = [];
  let registers: Map<RegisterName, RegisterState> | undefined;
  /** A copy of those of the shadow, made for the first that is other. */
  const after = (): Map<RegisterName, RegisterState> => (registers ??= new Map(before.registers));
  const see = (register: RegisterName, values: Values): void => {
    const known = before.registers.get(register);
    const hash = hashValues(values);
    if (known?.hash === hash) return;
    if (known?.hash === HASH_OF_NOTHING && isRowHash(hash)) {
      // Version 0.1.0 did not tell an empty row from none: that it is told now is no edit.
      const { stamp } = known;
      after().set(register, { ...known, hash, ...(stamp.site === origin.site ? {} : { rowUnsaid: true }) });
      return;
    }
    if (known === undefined) {
      if (localeOf(register) === undefined) {
        const isNews = !isBlank(values);
        after().set(register, { hash, stamp: adoptionStamp(isNews ? lastEdit(before) : 0, origin) });
        if (isNews) changed.push(register);
        return;
      }
      if (isRowHash(hash)) return;
    }
    after().set(register, {
      hash,
      stamp: nextStamp(markedAtMs, known?.stamp, origin),
      ...prior(known, origin, unsent),
    });
    changed.push(register);
  };
  for (const [register, values] of host) see(register, values);
  for (const register of before.registers.keys()) {
    if (host.has(register)) continue;
    if (localeOf(register) !== undefined) {
      if (describes) see(register, NO_DESCRIPTION);
    } else after().delete(register);
  }
  return { shadow: registers === undefined ? before : { born: before.born, registers }, changed };
}

/** What tells one account from another under the same id: people change one, and nothing changes both. */
export const IDENTIFYING: readonly RegisterName[] = ['s_email', 'dt_reg_date'];

/**
 * True if the row is another account than the one its shadow remembers. Ids come again: where a table was emptied or an
 * older backup restored, and after a restart of older servers, which forget the ids of rows deleted last.
 */
export function isOtherAccount(shadow: Shadow, host: ReadonlyMap<RegisterName, Values>): boolean {
  return IDENTIFYING.every((register) => {
    const known = shadow.registers.get(register);
    const values = host.get(register);
    return known !== undefined && values !== undefined && known.hash !== hashValues(values);
  });
}

/** True if the row is the account that its shadow remembers, whatever its id: of the same address, registered at the same time. */
export function isSameAccount(shadow: Shadow, host: ReadonlyMap<RegisterName, Values>): boolean {
  return IDENTIFYING.every((register) => isAsRemembered(shadow, host, register));
}

/** True if the row has another address than is remembered of it. */
export function hasOtherAddress(shadow: Shadow, host: ReadonlyMap<RegisterName, Values>): boolean {
  return !isAsRemembered(shadow, host, 's_email');
}

function isAsRemembered(shadow: Shadow, host: ReadonlyMap<RegisterName, Values>, register: RegisterName): boolean {
  const values = host.get(register);
  return values !== undefined && shadow.registers.get(register)?.hash === hashValues(values);
}

/** A user name that is only the id the account had before its key was changed. */
const FORMER_NAME = /^\d{1,10}$/;

/**
 * The shadow of an account whose key was changed in place. Its user name, if that was nothing but its id, still is the id it
 * had: on this site people know it by that, elsewhere it says nothing, so it does not travel.
 */
export function underNewId(shadow: Shadow, host: ReadonlyMap<RegisterName, Values>): Shadow {
  const known = shadow.registers.get('s_username');
  const values = host.get('s_username');
  const name = values?.['s_username'];
  if (known === undefined || values === undefined || typeof name !== 'string' || !FORMER_NAME.test(name)) return shadow;
  if (known.hash !== hashValues({ s_username: null })) return shadow;
  const state: RegisterState = { ...known, hash: hashValues(values), altered: true };
  return { born: shadow.born, registers: new Map([...shadow.registers, ['s_username', state]]) };
}

/** The shadow of a user nobody has seen yet: every register under one stamp. */
export function firstShadow(host: ReadonlyMap<RegisterName, Values>, stamp: Stamp, born: Stamp): Shadow {
  const registers = new Map<RegisterName, RegisterState>();
  host.forEach((values, register) => {
    const hash = hashValues(values);
    if (isRowHash(hash) && localeOf(register) !== undefined) return;
    registers.set(register, { hash, stamp });
  });
  return { born, registers };
}

/** The value a description register stands for when the host has no row for it. */
export function valuesOf(host: ReadonlyMap<RegisterName, Values>, register: RegisterName): Values | undefined {
  return host.get(register) ?? (localeOf(register) === undefined ? undefined : NO_DESCRIPTION);
}

/** When the profile was last edited, as far as the shadow tells; in milliseconds. */
function lastEdit({ born, registers }: Shadow): number {
  return registers.get('dt_mod_date')?.stamp.ms ?? born.ms;
}

/** True for what a new column holds before anybody wrote into it, and for a row that is not there. */
function isBlank(values: Values): boolean {
  return Object.entries(values).every(
    ([column, value]) =>
      value === null ||
      column === ROW ||
      /^(?:0*(?:\.0*)?|0000-00-00(?: 00:00:00)?)$/.test(typeof value === 'string' ? value : value.hex),
  );
}

function prior(known: RegisterState | undefined, origin: Origin, unsent: boolean): { prior?: Stamp } {
  if (known === undefined) return {};
  if (unsent && known.stamp.site === origin.site && known.prior !== undefined) return { prior: known.prior };
  return { prior: known.stamp };
}
