/** People of a site who go on editing while something is done to it: what they wrote last has to be everywhere in the end. */
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { Host } from './osclass/host.ts';

/** Four of them. */
export const PEOPLE = ['ana', 'bob', 'cid', 'dan'].map((name) => `${name}@example.com`);

/** Registers them on a site, each under the first part of the address. */
export async function registerPeople(host: Host): Promise<void> {
  for (const email of PEOPLE) await host.person.register({ email, name: email.slice(0, 3), validation: false });
}

/** What they wrote. */
export interface Edits {
  /** Once each person was edited: by address, what was written last. Throws what a statement threw. */
  stop(): Promise<ReadonlyMap<string, string>>;
}

/** Starts them: one account of {@link PEOPLE} after the other, each time with another value of the column, so often. */
export async function keepEditing(host: Host, column: string, everyMs = 20): Promise<Edits> {
  const own = await host.again();
  const last = new Map<string, string>();
  const over = new AbortController();
  let count = 0;
  const running = (async () => {
    while (!over.signal.aborted || count < PEOPLE.length) {
      const email = PEOPLE[count % PEOPLE.length] ?? '';
      const value = `${Date.now()}.${count++}`;
      await own.write(`UPDATE {user} SET ${column} = ?, dt_mod_date = NOW() WHERE s_email = ?`, [value, email]);
      last.set(email, value);
      await new Promise((resolve) => {
        setTimeout(resolve, everyMs);
      });
    }
  })();
  running.catch(() => undefined);
  return {
    async stop() {
      over.abort();
      try {
        await running;
      } finally {
        await own.close();
      }
      return last;
    },
  };
}

/** Waits until all these sites have, by column and address, what was written last. */
export async function expectEverywhere(
  hosts: readonly Host[],
  edits: Readonly<Record<string, ReadonlyMap<string, string>>>,
): Promise<void> {
  await eventually(
    async () => {
      for (const host of hosts) {
        for (const [column, last] of Object.entries(edits)) {
          const rows = await host.select(`SELECT s_email, ${column} AS value FROM {user}`);
          const have = new Map(rows.map((row) => [row['s_email'], row['value']]));
          for (const [email, value] of last)
            expect([host.name, column, email, have.get(email)]).toEqual([host.name, column, email, value]);
        }
      }
    },
    { timeoutMs: 60_000 },
  );
}
