/** What people were told was stored: in the end it must be there, on every server and on every site. */

/** A value that a cell of a user's row may have in the end. */
type Cell = Set<string>;

/** Accounts: there, gone, or nobody knows because the answer was lost. */
type Existence = 'present' | 'absent' | 'unknown';

/** Written by many writers, each of which has columns of its own. */
export interface Ledger {
  /** `isSure`: the server confirmed; else its answer was lost, and the value before may stand as well. */
  wrote(email: string, column: string, value: string, isSure: boolean): void;
  account(email: string, existence: Existence): void;
  /** What is missing, or there though it was not stored. */
  flaws(users: ReadonlyMap<string, ReadonlyMap<string, string | null>>): string[];
}

/** Begins with users that are all there. */
export function makeLedger(): Ledger {
  const cells = new Map<string, Cell>();
  const accounts = new Map<string, Existence>();
  return {
    wrote(email, column, value, isSure) {
      const key = `${email.toLowerCase()} ${column}`;
      cells.set(key, new Set([...(isSure ? [] : (cells.get(key) ?? [])), value]));
    },
    account(email, existence) {
      accounts.set(email.toLowerCase(), existence);
    },
    flaws(users) {
      const flaws: string[] = [];
      for (const [email, existence] of accounts) {
        if (existence === 'present' && !users.has(email)) flaws.push(`${email} is missing`);
        if (existence === 'absent' && users.has(email)) flaws.push(`${email} is there again`);
      }
      for (const [key, values] of cells) {
        const [email = '', column = ''] = key.split(' ');
        const user = users.get(email);
        if (user === undefined) flaws.push(`${email} is missing`);
        else if (!values.has(user.get(column) ?? '')) {
          flaws.push(`${email}: ${column} is ${user.get(column)}, stored was ${[...values].join(' or ')}`);
        }
      }
      return flaws;
    },
  };
}
