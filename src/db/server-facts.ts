/** What kind of server the database is, asked feature by feature rather than by version number. */
import { sql } from 'kysely';
import { isNotToBeKnown } from './failures.ts';
import { isClusterNode } from './galera.ts';
import type { Runner } from './transaction.ts';

export interface ServerFacts {
  readonly kind: 'mariadb' | 'mysql';
  /** As the server says: `10.11.6-MariaDB`. */
  readonly version: string;
  readonly readOnly: boolean;
  /** True for a replica; undefined if the account may not know. */
  readonly isReplica: boolean | undefined;
  readonly logBin: boolean;
  /** `ROW`, `MIXED`, `STATEMENT`; undefined if unknown. */
  readonly binlogFormat: string | undefined;
  /** `log_bin_trust_function_creators`: without it a server with a binary log refuses triggers (1419). */
  readonly trustFunctionCreators: boolean;
  /** Modes a new session gets, before ours are set. */
  readonly sqlMode: readonly string[];
  /** NO_BACKSLASH_ESCAPES in our own session in spite of ours, or forced on every session by `init_connect`. */
  readonly forcedNoBackslashEscapes: boolean;
  /** On a node of a Galera cluster: what matters there; else undefined. */
  readonly cluster: { readonly nodes: number; readonly autoIncrementControl: boolean } | undefined;
  /** Largest statement in bytes. */
  readonly maxAllowedPacket: number;
  /** Milliseconds since 1970, UTC, by the clock of the database. */
  readonly clockMs: number;
}

/** Asks the server; writes nothing. Variables that a server does not know count as off. */
export async function readServerFacts(db: Runner): Promise<ServerFacts> {
  const version = (await variable(db, 'version')) ?? '';
  const init = (await variable(db, 'global.init_connect')) ?? '';
  const sessionMode = (await variable(db, 'session.sql_mode')) ?? '';
  const modes = (await variable(db, 'global.sql_mode')) ?? '';
  const forbidden = /NO_BACKSLASH_ESCAPES/i;
  return {
    kind: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version,
    // Newer servers of MariaDB know more than ON and OFF.
    readOnly: !/^(?:0|off|no)$/i.test((await variable(db, 'global.read_only')) ?? 'off'),
    isReplica: await readReplica(db),
    logBin: isOn(await variable(db, 'global.log_bin')),
    binlogFormat: (await variable(db, 'global.binlog_format'))?.toUpperCase(),
    trustFunctionCreators: isOn(await variable(db, 'global.log_bin_trust_function_creators')),
    sqlMode: modes.split(',').filter((mode) => mode !== ''),
    forcedNoBackslashEscapes: forbidden.test(sessionMode) || forbidden.test(init),
    cluster: await readCluster(db),
    maxAllowedPacket: Number((await variable(db, 'session.max_allowed_packet')) ?? 1_048_576),
    clockMs: await readClock(db),
  };
}

/** The database's clock, in milliseconds since 1970, UTC. */
export async function readClock(db: Runner): Promise<number> {
  const { rows } = await sql<{ now: string }>`SELECT UTC_TIMESTAMP(3) AS now`.execute(db);
  return Date.parse(`${(rows[0]?.now ?? '').replace(' ', 'T')}Z`);
}

async function readCluster(db: Runner): Promise<ServerFacts['cluster']> {
  if (!(await isClusterNode(db))) return undefined;
  const { rows } = await sql<{ Value: string }>`SHOW STATUS LIKE 'wsrep_cluster_size'`.execute(db);
  return {
    nodes: Number(rows[0]?.Value ?? 0),
    autoIncrementControl: isOn(await variable(db, 'global.wsrep_auto_increment_control')),
  };
}

type VariableName = `${'' | 'global.' | 'session.'}${Lowercase<string>}`;

async function variable(db: Runner, name: VariableName): Promise<string | undefined> {
  const rows = await tolerant<{ value: string | number | null }>(db, `SELECT @@${name} AS value`);
  const value = rows?.[0]?.value;
  return value === undefined || value === null ? undefined : String(value);
}

/** A server that receives another one's changes has rows here, running or not. */
async function readReplica(db: Runner): Promise<boolean | undefined> {
  const rows = (await tolerant(db, 'SHOW REPLICA STATUS')) ?? (await tolerant(db, 'SHOW SLAVE STATUS'));
  return rows === undefined ? undefined : rows.length > 0;
}

async function tolerant<Row>(db: Runner, statement: string): Promise<Row[] | undefined> {
  try {
    return (await sql.raw<Row>(statement).execute(db)).rows;
  } catch (error) {
    if (isNotToBeKnown(error)) return undefined;
    throw error;
  }
}

function isOn(value: string | undefined): boolean {
  return value !== undefined && /^(?:1|on|yes)$/i.test(value);
}
