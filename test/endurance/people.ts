/**
 * People on all sites at once, and the ledger of what they did. Each column is edited on one site only, so its last edit
 * must be what every site has in the end; names are edited everywhere, so there all that counts is that sites agree.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { makeRandom, type Random } from '../support/osclass/random.ts';
import type { Host } from '../support/osclass/host.ts';
import type { World, WorldSite } from '../support/world.ts';

/** Where each column is edited. */
const EDITED_ON: Readonly<Record<string, string>> = {
  cars: 's_phone_mobile',
  homes: 's_website',
  jobs: 's_phone_land',
};
/** The only site where people change their address. */
const MOVED_ON = 'jobs';

/** Somebody with an account. */
interface Somebody {
  email: string;
  /** Last committed value of each column. */
  readonly values: Map<string, string>;
  isDeleted: boolean;
  /** An address is being changed, or the account deleted: nobody else does that just now. */
  isBusy: boolean;
}

/** People who write until told to stop. */
export interface People {
  /** Statements that the sites carried out for people. */
  written(): number;
  /** What the sites refused or failed; empty, or we broke the host. */
  readonly errors: readonly string[];
  stop(): Promise<void>;
  /** After everything has settled: what is not everywhere as it was written last. */
  lost(): Promise<string[]>;
  counts(): { readonly people: number; readonly deleted: number };
}

/** @param pauseMs mean pause of each site's people between two things they do */
export function letPeopleWrite(world: World, seed: string, pauseMs: number): People {
  const everybody: Somebody[] = [];
  const errors: string[] = [];
  const over = new AbortController();
  let written = 0;
  let next = 0;

  const act = async (one: WorldSite, host: Host, random: Random): Promise<void> => {
    const kind = random.int(20);
    next += 1;
    const value = String(next);
    if (kind <= 1 || everybody.length < 10) {
      const email = `p${value}@example.com`;
      const somebody: Somebody = { email, values: new Map(), isDeleted: false, isBusy: true };
      await host.person.register({ email, name: `N${value}`, validation: false, info: { en_US: `Hello ${value}` } });
      somebody.isBusy = false;
      everybody.push(somebody);
      written += 1;
      return;
    }
    const somebody = random.pick(everybody);
    if (somebody.isDeleted) return;
    const id = (await host.user(somebody.email))?.pk_i_id;
    // Not here yet, or under another address by now.
    if (typeof id !== 'number') return;
    if (kind === 2 || (kind === 3 && one.name === MOVED_ON)) {
      if (somebody.isBusy) return;
      somebody.isBusy = true;
      if (kind === 2) {
        somebody.isDeleted = true;
        await host.person.deleteAccount(id);
      } else {
        await host.person.changeEmail(id, `p${value}@example.org`);
        somebody.email = `p${value}@example.org`;
      }
      somebody.isBusy = false;
    } else if (kind <= 5) {
      await host.write('UPDATE {user} SET s_name = ?, dt_mod_date = NOW() WHERE pk_i_id = ?', [`N${value}`, id]);
    } else if (kind === 6) {
      await host.write('UPDATE {user_description} SET s_info = ? WHERE fk_i_user_id = ?', [`Info ${value}`, id]);
    } else {
      const column = EDITED_ON[one.name] ?? '';
      const text = column === 's_website' ? `https://example.com/${value}` : value;
      const { changed } = await host.write(`UPDATE {user} SET ${column} = ? WHERE pk_i_id = ?`, [text, id]);
      if (changed === 1) somebody.values.set(column, text);
    }
    written += 1;
  };

  const live = async (one: WorldSite): Promise<void> => {
    const host = await one.host.again();
    const random = makeRandom(`${seed}/people/${one.name}`);
    while (!over.signal.aborted) {
      try {
        await act(one, host, random);
      } catch (error) {
        errors.push(`${one.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await wait(random.next() * 2 * pauseMs, undefined, { signal: over.signal }).catch(() => undefined);
    }
    await host.close();
  };
  const living = Promise.all(world.sites.map(live));

  const lostOn = async ({ name, host }: WorldSite): Promise<string[]> => {
    const rows = new Map((await host.select('SELECT * FROM {user}')).map((row) => [String(row.s_email), row]));
    const lost: string[] = [];
    for (const { email, values, isDeleted } of everybody) {
      const row = rows.get(email);
      if ((row === undefined) !== isDeleted) lost.push(`${name}: ${email} ${isDeleted ? 'was deleted' : 'is missing'}`);
      if (row === undefined || isDeleted) continue;
      for (const [column, value] of values) {
        if (row[column] !== value) lost.push(`${name}: ${email} ${column} is ${row[column]}, not ${value}`);
      }
    }
    const there = everybody.filter((somebody) => !somebody.isDeleted).length;
    if (rows.size !== there) lost.push(`${name}: ${rows.size} accounts, not ${there}`);
    return lost;
  };

  return {
    written: () => written,
    errors,
    async stop() {
      over.abort();
      await living;
    },
    lost: async () => (await Promise.all(world.sites.map(lostOn))).flat(),
    counts: () => ({ people: everybody.length, deleted: everybody.filter((one) => one.isDeleted).length }),
  };
}
