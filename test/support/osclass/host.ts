/**
 * A stand-in for an Osclass site, as its database sees it: the tables of one generation, some places and categories, and
 * everything that people do there, written the way Osclass writes it (sessions without strict mode, 3-byte `utf8` names
 * before 8, local time, no transactions).
 *
 *     const host = await createHost(db, { flavour: '5.2', locales: ['en_US', 'es_ES'], timezone: 'Europe/Madrid' });
 *     await host.seed.users({ seed: 7, count: 1000 });
 *     const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });   // gives the id
 *     await host.person.clickValidationLink(ana);
 *     await host.person.editProfile('ana@example.com', { phoneMobile: '+34 600', country: 'ES', city: 'Sevilla' });
 *     await host.items.post(ana, { title: 'A bicycle' });
 *     await host.admin.block(ana);
 *     await host.user('ana@example.com');     // the row
 *     await host.users();                     // all, in comparable form
 *     await compareHosts([cars, homes]);      // [] when they are equal
 *     await host.recount();                   // [] when all counters are right
 *     await host.close();
 *
 * Users are named by id or e-mail throughout. One host is one connection: for things at the same time, `host.again()`.
 */
import type { Connection } from 'mysql2/promise';
import * as administration from './admin.ts';
import { changesBy, type TableChange } from './changes.ts';
import { compareSites, readUsers, type Difference, type ReadOptions, type SiteView } from './compare.ts';
import { changeEmail, confirmEmailChange, requestEmailChange } from './email-change.ts';
import type { Flavour } from './flavour.ts';
import { activateItem, comment, deleteItem, postItem, saveAlert, seedItems, setItemEnabled } from './items.ts';
import { changePassword, loginRehash, requestPasswordReset, resetPassword } from './password.ts';
import {
  changeUserName,
  clickValidationLink,
  deleteAccount,
  editProfile,
  loginRemembered,
  register,
  viewPage,
} from './person.ts';
import { seedBasics, seedCategories, seedLocations, type LocationOptions } from './places.ts';
import { makeRandom } from './random.ts';
import { createOsclassSchema, type SchemaOptions } from './schema.ts';
import { seedUsers } from './seed-users.ts';
import {
  findUser,
  hostConnection,
  localTime,
  select,
  selectOne,
  userId,
  write,
  type HostDatabase,
  type Row,
  type Site,
  type UserRef,
} from './site.ts';
import { recountStatistics, type StatisticsDifference } from './statistics.ts';

/** What kind of site; all may be left out. */
export interface HostOptions extends Partial<SchemaOptions> {
  /** `5.2` unless given. */
  flavour?: Flavour;
  /** How it is called in comparisons; the database's name unless given. */
  name?: string;
  /** `['en_US', 'es_ES']` unless given; the first is the main one. */
  locales?: readonly string[];
  /** IANA zone; `UTC` unless given. Stored as Osclass's preference. */
  timezone?: string;
  /** Added to ids of regions, cities, areas: give each site another one. */
  locationOffset?: number;
  /** Further differences between the places of sites. */
  locations?: LocationOptions;
  /** For codes and hashes that actions make up; the name unless given. */
  seed?: number | string;
  /** Milliseconds since 1970; the real time unless given. */
  clock?: () => number;
}

const personActions = {
  register,
  clickValidationLink,
  editProfile,
  changeUserName,
  loginRemembered,
  viewPage,
  deleteAccount,
  changePassword,
  requestPasswordReset,
  resetPassword,
  loginRehash,
  requestEmailChange,
  confirmEmailChange,
  changeEmail,
};
const { createUser, editUser, activate, deactivate, block, unblock, deleteUser } = administration;
const adminActions = { createUser, editUser, activate, deactivate, block, unblock, deleteUser };
const itemActions = {
  post: postItem,
  comment,
  saveAlert,
  setEnabled: setItemEnabled,
  activate: activateItem,
  delete: deleteItem,
};
const seeders = { users: seedUsers, items: seedItems };

/** Functions of a site and more, without the site. */
type Bound<Actions> = {
  [Name in keyof Actions]: Actions[Name] extends (site: Site, ...rest: infer Rest) => infer Result
    ? (...rest: Rest) => Result
    : never;
};

type Action = (site: Site, ...rest: never[]) => unknown;

const bind = <Actions extends Record<string, Action>>(site: Site, actions: Actions): Bound<Actions> =>
  Object.fromEntries(
    Object.entries(actions).map(([name, action]) => [name, (...rest: never[]) => action(site, ...rest)]),
  ) as Bound<Actions>;

/** A site with everything that can happen on it. */
export interface Host {
  name: string;
  site: Site;
  /** Its own connection, as Osclass has it. */
  db: Connection;
  person: Bound<typeof personActions>;
  admin: Bound<typeof adminActions>;
  items: Bound<typeof itemActions>;
  seed: Bound<typeof seeders>;
  /** The row of a user; undefined if there is none. */
  user: (user: UserRef) => Promise<Row | undefined>;
  /** The id of a user; throws if there is none. */
  idOf: (user: UserRef) => Promise<number>;
  /** All users in comparable form. */
  users: (options?: ReadOptions) => Promise<SiteView>;
  /** Counters that are wrong. */
  recount: () => Promise<StatisticsDifference[]>;
  /** What happens in the whole database meanwhile, by table; for small sites. */
  changes: (act: () => Promise<unknown>) => Promise<Record<string, TableChange>>;
  /** A SELECT; `{user}` stands for the prefixed `t_user`, and so on. */
  select: (sql: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Any other statement, as an import, a plugin or a person at a prompt might run it. */
  write: (sql: string, values?: readonly unknown[]) => Promise<{ changed: number; id: number }>;
  /** The same site through another connection. */
  again: () => Promise<Host>;
  close: () => Promise<void>;
}

/** A host on a database that already has its tables (and was made with the same options). */
export const openHost = async (database: HostDatabase, options: HostOptions = {}): Promise<Host> => {
  const { flavour = '5.2', prefix = 'oc_', name = database.name } = options;
  const db = await hostConnection(database, flavour);
  const site: Site = {
    db,
    prefix,
    flavour,
    timezone: options.timezone ?? 'UTC',
    locales: options.locales ?? ['en_US', 'es_ES'],
    clock: options.clock ?? Date.now,
    random: makeRandom(options.seed ?? name),
  };
  return {
    name,
    site,
    db,
    person: bind(site, personActions),
    admin: bind(site, adminActions),
    items: bind(site, itemActions),
    seed: bind(site, seeders),
    user: async (user) =>
      typeof user === 'number'
        ? selectOne(site, 'SELECT * FROM {user} WHERE pk_i_id = ?', [user])
        : selectOne(site, 'SELECT * FROM {user} WHERE s_email = ?', [user]),
    idOf: async (user) => userId(site, Number((await findUser(site, user)).pk_i_id)),
    users: async (read) => readUsers(db, { prefix, ...read }),
    recount: async () => recountStatistics(db, { prefix, now: localTime(site) }),
    changes: async (act) => changesBy(site, act),
    select: async (sql, values) => select(site, sql, values),
    write: async (sql, values) => write(site, sql, values),
    again: async () => openHost(database, { ...options, seed: `${options.seed ?? name}/${site.random.int(1e9)}` }),
    close: async () => db.end(),
  };
};

/** A new site in an empty database: tables, locales, preferences, places, categories; no users yet. */
export const createHost = async (database: HostDatabase, options: HostOptions = {}): Promise<Host> => {
  const host = await openHost(database, options);
  await createOsclassSchema(host.db, { ...options, flavour: host.site.flavour });
  await seedBasics(host.site);
  await seedLocations(host.site, { idOffset: options.locationOffset ?? 0, ...options.locations });
  await seedCategories(host.site);
  return host;
};

/** What differs between sites; see `compareSites`. */
export const compareHosts = async (hosts: readonly Host[], read: ReadOptions = {}): Promise<Difference[]> =>
  compareSites(hosts.map(({ name, db, site }) => ({ name, connection: db, prefix: site.prefix, ...read })));
