import { createConnection, type Connection, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise';
import { DateTime } from 'luxon';
import { FLAVOURS, type Flavour } from './flavour.ts';
import type { Random } from './random.ts';

/** Where a site's database is. What the test databases of this project are fits. */
export interface HostDatabase {
  name: string;
  host: string;
  port: number;
  user: string;
  password?: string;
}

/** What every action needs to know of the site it happens on. */
export interface Site {
  db: Connection;
  prefix: string;
  flavour: Flavour;
  /** IANA zone of the site's DATETIME values. */
  timezone: string;
  /** Codes of the locales the site has, its main one first. */
  locales: readonly string[];
  /** Milliseconds since 1970. */
  clock: () => number;
  random: Random;
}

/** A value of a row; the host's connection gives dates and decimals as text. */
export type Value = string | number | null;
/** One row by column name. */
export type Row = Record<string, Value>;

/**
 * Connects as Osclass does: no strict mode, the names of its generation (3-byte `utf8` before 8), autocommit, and
 * "affected rows" counting only rows that really changed, which Osclass relies on. The server's own zone is left alone.
 * Close it with `end()`.
 */
export const hostConnection = async (db: HostDatabase, flavour: Flavour = '5.2'): Promise<Connection> => {
  const facts = FLAVOURS[flavour];
  const connection = await createConnection({
    host: db.host,
    port: db.port,
    user: db.user,
    password: db.password ?? '',
    database: db.name,
    // Text goes out as real UTF-8, as from PHP. Told of 3-byte utf8, mysql2 would split an emoji into two halves that get
    // stored; so it may not learn of SET NAMES below (session tracking).
    charset: 'utf8mb4',
    dateStrings: true,
    supportBigNumbers: true,
    flags: ['-FOUND_ROWS', '-SESSION_TRACK'],
  });
  await connection.query(`SET NAMES ${facts.names}`);
  await connection.query("SET SESSION sql_mode = '', autocommit = 1");
  return connection;
};

/** `{user}` → `` `oc_t_user` ``: how statements here name tables. */
export const withPrefix = (sql: string, prefix: string): string =>
  sql.replaceAll(/\{([a-z_]+)\}/g, (_, name: string) => `\`${prefix}t_${name}\``);

/** Runs a SELECT. */
export const select = async (
  site: Pick<Site, 'db' | 'prefix'>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> => {
  const [rows] = await site.db.query<RowDataPacket[]>(withPrefix(sql, site.prefix), [...values]);
  return rows;
};

/** The first row of a SELECT, if there is one. */
export const selectOne = async (
  site: Pick<Site, 'db' | 'prefix'>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row | undefined> => (await select(site, sql, values))[0];

/** Runs a statement that writes: how many rows changed, and the id it gave out (0 if none). */
export const write = async (
  site: Pick<Site, 'db' | 'prefix'>,
  sql: string,
  values: readonly unknown[] = [],
): Promise<{ changed: number; id: number }> => {
  const [result] = await site.db.query<ResultSetHeader>(withPrefix(sql, site.prefix), [...values]);
  return { changed: result.affectedRows, id: result.insertId };
};

/** `INSERT INTO {table} SET …`; gives the new id. */
export const insert = async (site: Site, table: string, row: Row): Promise<number> =>
  (await write(site, `INSERT INTO {${table}} SET ?`, [row])).id;

/** `UPDATE {table} SET … WHERE key = …`; gives the number of rows that changed. */
export const update = async (site: Site, table: string, row: Row, key: string, value: Value): Promise<number> =>
  (await write(site, `UPDATE {${table}} SET ? WHERE ${key} = ?`, [row, value])).changed;

/** The site's wall clock as a DATETIME, which is what Osclass writes everywhere. */
export const localTime = (site: Pick<Site, 'clock' | 'timezone'>, shiftMs = 0): string =>
  DateTime.fromMillis(site.clock() + shiftMs, { zone: site.timezone }).toFormat('yyyy-MM-dd HH:mm:ss');

/** A user by id or e-mail. */
export type UserRef = number | string;

/** The whole row of a user. Throws if there is none. */
export const findUser = async (site: Site, user: UserRef): Promise<Row> => {
  const column = typeof user === 'number' ? 'pk_i_id' : 's_email';
  const row = await selectOne(site, `SELECT * FROM {user} WHERE ${column} = ?`, [user]);
  if (row === undefined) throw new Error(`no user ${user} on this site`);
  return row;
};

/** The id of a user. Throws if there is none. */
export const userId = async (site: Site, user: UserRef): Promise<number> =>
  typeof user === 'number' ? user : Number((await findUser(site, user)).pk_i_id);

/** A line in Osclass's own activity log. */
export const writeLog = async (
  site: Site,
  [section, action]: readonly [section: string, action: string],
  id: number,
  data: string,
  who: 'user' | 'admin',
  whoId = 1,
): Promise<void> => {
  await insert(site, 'log', {
    dt_date: localTime(site),
    s_section: section,
    s_action: action,
    fk_i_id: id,
    s_data: data,
    s_ip: '127.0.0.1',
    s_who: who,
    fk_i_who_id: who === 'admin' ? 1 : whoId,
  });
};
