import { escape } from 'mysql2';
import { personPool, type Person } from './people.ts';
import { makeRandom } from './random.ts';
import { select, withPrefix, type Row, type Site, type Value } from './site.ts';
import { makeUserRow, readAtlas } from './user-row.ts';

/** Which users to make. */
export interface SeedUsersOptions {
  /** Same seed, same users. */
  seed: number | string;
  /** How many; unless `persons` says who. */
  count?: number;
  /** Who they are, for sites that share people. */
  persons?: readonly Person[];
  /** Seed of the pool that persons come from: the same pool on two sites gives them the same people. `seed` unless given. */
  pool?: number | string;
  /** Id of the first user; after the highest there is unless given. */
  firstId?: number;
  /** Share of ids left out, as users deleted long ago leave them out. */
  idGaps?: number;
  /** All active and enabled: no one is left out of feeds. */
  allActive?: boolean;
}

/** A user that was seeded. */
export interface SeededUser extends Person {
  id: number;
}

const ROWS_PER_INSERT = 1000;
const ROWS_PER_COMMIT = 20_000;

/** Numbers need no escaping, and most text needs no more than quotes: several times faster than escaping it all. */
const literal = (value: Value): string => {
  if (value === null) return 'NULL';
  if (typeof value === 'number') return String(value);
  return /['"\\\p{Cc}]/u.test(value) ? escape(value) : `'${value}'`;
};

const tuple = (row: Row): string => `(${Object.values(row).map(literal).join(',')})`;

/** Rows that all have the same columns in the same order. */
const insertRows = async (site: Site, table: string, rows: readonly Row[]): Promise<void> => {
  const [first] = rows;
  if (first === undefined) return;
  const head = withPrefix(`INSERT INTO {${table}} (${Object.keys(first).join(',')}) VALUES `, site.prefix);
  await site.db.query(head + rows.map(tuple).join(','));
};

/**
 * Fills `t_user` and `t_user_description` with users that differ as real ones do: several scripts, NULLs and empty
 * strings, old hashes, companies, users not validated or blocked, places known and unknown. Locations must be seeded
 * before. 200,000 take some seconds.
 */
export const seedUsers = async (site: Site, options: SeedUsersOptions): Promise<SeededUser[]> => {
  const persons = options.persons ?? personPool(options.pool ?? options.seed, options.count ?? 0);
  const atlas = await readAtlas(site);
  const [highest] = await select(site, 'SELECT MAX(pk_i_id) AS id FROM {user}');
  let id = (options.firstId ?? Number(highest?.id ?? 0) + 1) - 1;
  const seeded: SeededUser[] = [];
  const store = async (users: Row[], descriptions: Row[], commit: boolean): Promise<void> => {
    await insertRows(site, 'user', users);
    await insertRows(site, 'user_description', descriptions);
    if (!commit) return;
    await site.db.commit();
    await site.db.beginTransaction();
  };
  await site.db.beginTransaction();
  // The server stores one batch while the next is made.
  let sent = Promise.resolve();
  for (let start = 0; start < persons.length; start += ROWS_PER_INSERT) {
    const users: Row[] = [];
    const descriptions: Row[] = [];
    for (const [offset, person] of persons.slice(start, start + ROWS_PER_INSERT).entries()) {
      const random = makeRandom(`${options.seed}/user/${start + offset}`);
      id += 1;
      while (random.chance(options.idGaps ?? 0)) id += 1;
      const made = makeUserRow({ id, person, random, atlas, site, allActive: options.allActive === true });
      users.push(made.user);
      descriptions.push(...made.descriptions);
      seeded.push({ id, ...person });
    }
    await sent;
    sent = store(users, descriptions, (start + ROWS_PER_INSERT) % ROWS_PER_COMMIT === 0);
  }
  await sent;
  await site.db.commit();
  return seeded;
};
