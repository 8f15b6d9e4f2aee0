/** Table `identity`: with which server, database and address each daemon of this site last worked. */
import { sql, type Kysely } from 'kysely';
import type { Surroundings } from '../model/surroundings.ts';
import { isMissingTable, isUnknownVariable } from '../db/failures.ts';
import { isClusterNode } from '../db/galera.ts';
import type { Runner } from '../db/transaction.ts';
import { nameOf, own } from '../db/own-tables.ts';

/** The part of {@link Surroundings} that the server tells. */
export type ServerIdentity = Pick<Surroundings, 'database' | 'server' | 'serverId' | 'tableMade'>;

/** What a process wrote down. */
export interface NotedSurroundings extends Surroundings {
  readonly process: string;
  /** How often it did. */
  readonly beat: number;
}

/** Rows of processes that have been silent for so long go. */
const KEPT_DAYS = 1;

/**
 * Asks the server who it is: three short statements. A cluster is one server, known by the UUID of its data; MySQL by that
 * beside its data; MariaDB by `server_uid`, where it has none by where its data are.
 */
export async function readServerIdentity(db: Kysely<unknown>): Promise<ServerIdentity> {
  const { rows } = await sql<{ name: string; server_id: string | number; made: string | null }>`
    SELECT DATABASE() AS name, @@GLOBAL.server_id AS server_id,
      (SELECT CREATE_TIME FROM information_schema.TABLES
        WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ${nameOf(own.identity)}) AS made`.execute(db);
  const [row] = rows;
  const server = (await clusterOf(db)) ?? (await serverOf(db));
  return {
    database: row?.name ?? '',
    server,
    serverId: String(row?.server_id ?? ''),
    tableMade: row?.made ?? '',
  };
}

/** `SHOW STATUS LIKE 'wsrep_cluster_state_uuid'` */
async function clusterOf(db: Kysely<unknown>): Promise<string | undefined> {
  if (!(await isClusterNode(db))) return undefined;
  const { rows } = await sql<{ Value: string }>`SHOW STATUS LIKE 'wsrep_cluster_state_uuid'`.execute(db);
  return rows[0] === undefined ? undefined : `galera ${rows[0].Value}`;
}

async function serverOf(db: Kysely<unknown>): Promise<string> {
  const uuid = await ask(sql<{ value: string }>`SELECT @@server_uuid AS value`.execute(db));
  if (uuid !== '') return `mysql ${uuid}`;
  const uid = await ask(sql<{ value: string }>`SELECT @@server_uid AS value`.execute(db));
  if (uid !== '') return `mariadb ${uid}`;
  const place = sql<{ value: string }>`SELECT CONCAT_WS(' ', @@hostname, @@port, @@datadir) AS value`;
  return `mariadb ${await ask(place.execute(db))}`;
}

/** Empty: the server does not know. */
async function ask(asked: Promise<{ rows: { value: string | null }[] }>): Promise<string> {
  try {
    return (await asked).rows[0]?.value ?? '';
  } catch (error) {
    if (isUnknownVariable(error)) return '';
    throw error;
  }
}

/** What the process wrote down, and what was written down last by any; undefined: nothing, or there is no table yet. */
export async function notedSurroundings(
  runner: Runner,
  process: string,
): Promise<{ readonly mine: NotedSurroundings | undefined; readonly last: NotedSurroundings | undefined }> {
  try {
    const { rows } =
      await sql<NotedRow>`SELECT process, site, url, api_key, database_name, server, server_id, table_made, beat
      FROM ${own.identity} ORDER BY seen_at DESC, beat DESC`.execute(runner);
    const noted = rows.map(toNoted);
    return { mine: noted.find((one) => one.process === process), last: noted[0] };
  } catch (error) {
    if (isMissingTable(error)) return { mine: undefined, last: undefined };
    throw error;
  }
}

interface NotedRow {
  readonly process: string;
  readonly site: string;
  readonly url: string;
  readonly api_key: string;
  readonly database_name: string;
  readonly server: string;
  readonly server_id: string;
  readonly table_made: string;
  readonly beat: string | number;
}

function toNoted(row: NotedRow): NotedSurroundings {
  const { process, site, url, api_key: apiKey, database_name: database, server, server_id: serverId } = row;
  return { process, site, url, apiKey, database, server, serverId, tableMade: row.table_made, beat: Number(row.beat) };
}

/** Writes the row of a process, which is the last one then, and deletes those of processes that ended long ago. */
export async function noteSurroundings(
  runner: Runner,
  { process, beat, site, url, apiKey, database, server, serverId, tableMade }: NotedSurroundings,
): Promise<void> {
  await sql`INSERT INTO ${own.identity}
      (process, site, url, api_key, database_name, server, server_id, table_made, beat, seen_at)
    VALUES (${process}, ${site}, ${url}, ${apiKey}, ${database}, ${server}, ${serverId}, ${tableMade}, ${beat},
      UTC_TIMESTAMP(3))
    ON DUPLICATE KEY UPDATE site = VALUES(site), url = VALUES(url), api_key = VALUES(api_key),
      database_name = VALUES(database_name), server = VALUES(server), server_id = VALUES(server_id),
      table_made = VALUES(table_made), beat = VALUES(beat), seen_at = VALUES(seen_at)`.execute(runner);
  await sql`DELETE FROM ${own.identity}
    WHERE process <> ${process} AND seen_at < UTC_TIMESTAMP(3) - INTERVAL ${KEPT_DAYS} DAY`.execute(runner);
}

/** Deletes what any process wrote down. */
export async function forgetSurroundings(runner: Runner): Promise<void> {
  await sql`DELETE FROM ${own.identity}`.execute(runner);
}

/**
 * Deletes what a copy of a site must not go on with: what waits for peers, how far feeds are, what peers are known to have, and
 * what is parked or held. Accounts and the memory of them stay.
 */
export async function forgetPeers(runner: Runner): Promise<void> {
  for (const table of [own.outbox, own.peer, own.parked, own.guard, own.seen]) {
    await sql`DELETE FROM ${table}`.execute(runner);
  }
  await sql`DELETE FROM ${own.state} WHERE name LIKE 'refeed:%'`.execute(runner);
}
