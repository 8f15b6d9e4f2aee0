/**
 * Who is who in a history with a plugin, and what people did: to tell at once when an account dies that its owner did not
 * delete, a value is emptied that nobody emptied, or somebody gets the password of another.
 */

/** One account that a person registered; accounts that daemons and plugins make of it elsewhere are the same. */
interface Life {
  readonly person: number;
  readonly atMs: number;
}

/** A row as any of the sites has it. */
export interface BookRow {
  /** Dates of registration whose data it held. */
  readonly lineage: ReadonlySet<string>;
}

export interface Book {
  /**
   * Somebody registers: whoever has the address elsewhere, or had it last; a stranger where it was given up on this site.
   *
   * @param elsewhere rows of other sites with the address
   */
  registered(
    site: string,
    account: { readonly email: string; readonly date: string; readonly hash: string; readonly atMs: number },
    elsewhere: readonly BookRow[],
  ): void;
  /** A person changed the address: whoever takes the one before on that site is another. */
  gaveUp(site: string, row: BookRow, from: string, to: string): void;
  /** True if the address was given up on that site, and nobody took it since. */
  isFree(site: string, email: string): boolean;
  deleted(row: BookRow, atMs: number): void;
  emptied(row: BookRow, column: string): void;
  hashed(row: BookRow, hash: string): void;
  /** Why a daemon or a plugin must not delete the row. */
  whyNotRemovable(row: BookRow): string | undefined;
  /** Why it must not put one value in the place of another. */
  whyNotWritable(row: BookRow, column: string, from: string | null, to: string | null): string | undefined;
}

/** An empty one. */
export function makeBook(): Book {
  const lives = new Map<string, Life>();
  const deletions: { readonly persons: ReadonlySet<number>; readonly atMs: number }[] = [];
  const emptied = new Set<string>();
  const ownerOfHash = new Map<string, number>();
  /** Who had an address last. */
  const owners = new Map<string, number>();
  const free = new Set<string>();
  let last = 0;

  const livesOf = (row: BookRow): Life[] => [...row.lineage].flatMap((date) => lives.get(date) ?? []);
  const personsOf = (row: BookRow): Set<number> => new Set(livesOf(row).map((life) => life.person));

  /** True if its owner deleted an account of his after the last of those that the row holds was registered. */
  const isGivenUp = (row: BookRow): boolean => {
    const born = Math.max(0, ...livesOf(row).map((life) => life.atMs));
    const persons = personsOf(row);
    return deletions.some((one) => one.atMs >= born && [...one.persons].some((person) => persons.has(person)));
  };

  return {
    registered(site, { email, date, hash, atMs }, elsewhere) {
      const isStranger = free.delete(`${site} ${email}`);
      const latest = elsewhere.flatMap(livesOf).toSorted((a, b) => b.atMs - a.atMs)[0];
      const person = (isStranger ? undefined : (latest?.person ?? owners.get(email))) ?? ++last;
      owners.set(email, person);
      lives.set(date, { person, atMs });
      ownerOfHash.set(hash, person);
    },
    gaveUp(site, row, from, to) {
      const [person] = personsOf(row);
      if (person !== undefined) owners.set(to, person);
      free.add(`${site} ${from}`);
      free.delete(`${site} ${to}`);
    },
    isFree: (site, email) => free.has(`${site} ${email}`),
    deleted(row, atMs) {
      deletions.push({ persons: personsOf(row), atMs });
    },
    emptied(row, column) {
      for (const person of personsOf(row)) emptied.add(`${person} ${column}`);
    },
    hashed(row, hash) {
      for (const person of personsOf(row)) ownerOfHash.set(hash, person);
    },
    whyNotRemovable(row) {
      // A plugin that was told only what changed of somebody it never heard of makes an account of that, without a date.
      if (livesOf(row).length === 0) return undefined;
      return isGivenUp(row) ? undefined : `an account of ${[...row.lineage].join(', ')} was removed by nobody`;
    },
    whyNotWritable(row, column, from, to) {
      const persons = personsOf(row);
      if (persons.size === 0) return undefined;
      if ((to ?? '') === '' && (from ?? '') !== '' && from?.startsWith('!') !== true) {
        // Who deletes an account gives up what is in it, also where the next one of the address takes its place.
        if (isGivenUp(row) || [...persons].some((person) => emptied.has(`${person} ${column}`))) return undefined;
        return `${column} = ${from} was emptied by nobody`;
      }
      const owner = column === 's_password' && to !== null ? ownerOfHash.get(to) : undefined;
      if (owner !== undefined && persons.size > 0 && !persons.has(owner)) {
        return `person ${[...persons].join(', ')} got the password of person ${owner}`;
      }
      return undefined;
    },
  };
}
