/** The book a history keeps of what people did, to tell at the end whether anything of it was lost. */
import type { Value } from '../../src/model/register.ts';
import type { HostRow } from './memory/database.ts';
import { emailOfRow, folded, isSquattersHash, textOf } from './memory/host.ts';

/** What people did, on all sites. */
export interface Ledger {
  /** A number nobody had; later ones are larger. */
  next(): number;
  /** Someone put one value in the place of another. Values are never used twice, but for e-mails and switches. */
  edited(from: Value, to: Value): void;
  /** Likewise somebody who had no right to the address of the account. */
  editedBySquatter(from: Value, to: Value): void;
  /** Someone gave a row another address. `isUnproved`: nobody had proved the one before. */
  moved(site: string, row: HostRow, to: string, isUnproved: boolean): void;
  /** Someone deleted a row. */
  removed(row: HostRow): void;
  /** Somebody deleted a row who had registered it with another's address. */
  removedBySquatter(row: HostRow): void;
  /** Whether a password that the owner set by mail may count as anybody's: markers say that something changed, and not what. */
  resetUnseen(row: HostRow, isUnseen: boolean): void;
  /** A row was deleted and inserted again; if it then moves at once, nobody can tell that from a removal. */
  replaced(row: HostRow): void;
  /**
   * A daemon puts one value in the place of another. Returns why it must not.
   *
   * @param forfeit whose edits count no more, for the account goes to the owner of its address
   */
  whyNotOverwritable(from: Value, to: Value, forfeit: 'none' | 'squatters' | 'all'): string | undefined;
  /** A daemon deletes a row. Returns why it must not; undefined if the person whose account it is removed it. */
  whyNotRemovable(row: HostRow): string | undefined;
  /** What is missing where the rows of all sites are these, by address. `proved`: those whose address is. */
  whatWasLost(accounts: ReadonlyMap<string, readonly HostRow[]>, proved: ReadonlySet<HostRow>): string[];
}

const UNIQUE = /^(?:name|[0-9a-f]{40}$|s_|en_|es_)/;

/**
 * An empty book.
 *
 * @param personOf whose address it is; where people take each other's addresses, all are one to it
 */
export function makeLedger(personOf: (email: string) => string): Ledger {
  let last = 0;
  const successors = new Map<string, Set<Value>>();
  const removed = new Set<string>();
  /** Registrations that were deleted by who had no right to the address. */
  const squatted = new Set<string>();
  /** Registrations whose owner set a password by mail, which no daemon saw. */
  const unseen = new Set<string>();
  const dead = new Set<Value>();
  /** Values of rows that were deleted and inserted again: they may count as set again. */
  const replaced = new Set<Value>();
  /** Values that somebody set who had no right to the address of the account. */
  const strangers = new Set<Value>();
  const moves = new Map<string, { readonly site: string; readonly to: string; readonly isUnproved: boolean }[]>();

  const valuesOf = (row: HostRow): Value[] => [...Object.values(row.columns), ...row.texts.values()];
  const noteRemoval = (row: HostRow): void => {
    for (const value of valuesOf(row)) dead.add(value);
  };
  /** True if the value, or what came after it, is there or was removed with its account. */
  const isSomewhere = (value: Value, present: ReadonlySet<Value>): boolean =>
    value === null ||
    present.has(value) ||
    dead.has(value) ||
    [...(successors.get(value as string) ?? [])].some((later) => isSomewhere(later, present));

  const cameAfter = (earlier: Value, value: Value): boolean =>
    typeof earlier === 'string' &&
    [...(successors.get(earlier) ?? [])].some((later) => later === value || cameAfter(later, value));

  const edited = (from: Value, to: Value): void => {
    if (typeof from !== 'string' || !UNIQUE.test(from)) return;
    successors.set(from, (successors.get(from) ?? new Set()).add(to));
  };

  return {
    next: () => ++last,
    edited,
    editedBySquatter(from, to) {
      strangers.add(to);
      edited(from, to);
    },
    moved(site, row, to, isUnproved) {
      const registration = textOf(row.columns['dt_reg_date']);
      moves.set(registration, [...(moves.get(registration) ?? []), { site, to, isUnproved }]);
    },
    removed(row) {
      removed.add(personOf(emailOfRow(row)));
      noteRemoval(row);
    },
    removedBySquatter(row) {
      for (const birth of row.lineage) squatted.add(birth);
      noteRemoval(row);
    },
    resetUnseen(row, isUnseen) {
      for (const birth of row.lineage)
        if (isUnseen) unseen.add(birth);
        else unseen.delete(birth);
    },
    replaced(row) {
      removed.add(personOf(emailOfRow(row)));
      for (const value of valuesOf(row)) replaced.add(value);
    },
    whyNotOverwritable(from, to, forfeit) {
      if (typeof from !== 'string' || !UNIQUE.test(from) || from === to) return undefined;
      const isLost = forfeit === 'all' || (forfeit === 'squatters' && strangers.has(from));
      if (cameAfter(to, from) && !replaced.has(to) && !isLost)
        return `${from} was overwritten by ${textOf(to)}, which it had replaced`;
      dead.add(from);
      return undefined;
    },
    whyNotRemovable(row) {
      const isSquatters = (birth: string): boolean =>
        squatted.has(birth) && (unseen.has(birth) || isSquattersHash(row.columns['s_password']));
      if (!removed.has(personOf(emailOfRow(row))) && ![...row.lineage].some(isSquatters)) {
        return `account ${emailOfRow(row)} (${[...row.lineage].join(', ')}) was removed by nobody`;
      }
      noteRemoval(row);
      return undefined;
    },
    whatWasLost(accounts, proved) {
      const rows = [...accounts.values()].flat();
      const present = new Set(rows.flatMap(valuesOf));
      const lost: string[] = [];
      for (const value of present) {
        const later = typeof value === 'string' ? successors.get(value) : undefined;
        for (const edit of later ?? []) {
          if (!isSomewhere(edit, present)) lost.push(`${textOf(edit)}, which came after ${textOf(value)}, was lost`);
        }
      }
      for (const [registration, ways] of moves) {
        const sites = new Set(ways.map((way) => way.site));
        const { to = '', isUnproved = false } = ways.at(-1) ?? {};
        const own = rows.filter((row) => row.lineage.has(registration));
        // The owner of the address before, who proved it meanwhile, has it.
        if (isUnproved && own.some((row) => proved.has(row))) continue;
        // What is left of an account that was removed is a site's that forgot it had met that.
        if (squatted.has(registration)) continue;
        if (sites.size > 1 || own.length === 0 || removed.has(personOf(to)) || own.some((row) => row.lineage.size > 1))
          continue;
        const email = emailOfRow(own[0] as HostRow);
        if (own.every((row) => folded(emailOfRow(row)) !== folded(to))) lost.push(`${email} should be ${to}`);
      }
      return lost;
    },
  };
}
