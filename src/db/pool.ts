/** Connections to the site's database: opened with settings that lose nothing, and checked before first use. */
import { SiteDialect } from './own-tables.ts';
import type { DatabaseConfig } from '../config/config.ts';
import { Kysely, type LogEvent, type MysqlPool, type MysqlPoolConnection } from 'kysely';
import { createPool, type PoolConnection, type PoolOptions } from 'mysql2';
import { isAnyRightMissing, isElsewhere, statementTooLarge, toSyncError } from './failures.ts';
import { checkedParameters } from './bind.ts';
import { promised, startSession, type Session } from './session.ts';

/** A pool and the query runner on top of it. */
export interface Pool {
  /** Every error it throws is a {@link SyncError}; see failures.ts. */
  readonly db: Kysely<unknown>;
  use(): PoolUse;
  /**
   * Connections made before now are closed instead of being used again: a name or a proxy may lead to another server by
   * now. Happens by itself when the server says that it takes no writes, or no statements at all.
   */
  renew(): void;
  /** Closes all connections; may be called twice. Running statements end first. */
  close(): Promise<void>;
}

/** How the connections of a pool are used now. */
export interface PoolUse {
  readonly inUse: number;
  /** Statements and transactions that wait for a connection. */
  readonly waiting: number;
  readonly limit: number;
}

export interface PoolOptionsOfOurs {
  /** Most connections at a time; default 6. */
  readonly connectionLimit?: number;
  /** Called after every statement, and awaited; tests stop the process there. */
  readonly onStatement?: (statement: string) => void | Promise<void>;
  /** A statement that takes longer ends its connection with `DB_UNAVAILABLE`; default 120 s. */
  readonly statementTimeoutMs?: number;
  /**
   * The server ends a connection that says nothing for so many seconds; default {@link SILENCE_S}. A process that is
   * paused, or cut off without a word, in the middle of a transaction holds its locks no longer than that.
   */
  readonly silenceS?: number;
}

/** A third of what a lease lasts: who takes over work finds nothing locked. */
const SILENCE_S = 10;

/**
 * Opens a pool; connects only when first used. Throws nothing itself: a wrong address or password shows as
 * `DB_UNAVAILABLE` or `DB_ACCESS_DENIED` of the first query.
 */
export function openPool(config: DatabaseConfig, options: PoolOptionsOfOurs = {}): Pool {
  const limit = options.connectionLimit ?? 6;
  const silenceS = options.silenceS ?? SILENCE_S;
  const raw = createPool(driverOptions(config, limit, silenceS));
  const timeoutMs = options.statementTimeoutMs ?? 120_000;
  const wrapped = new WeakMap<PoolConnection, Wrapped>();
  const inUse = new Set<PoolConnection>();
  let waiting = 0;
  let generation = 0;
  const renew = (): void => void (generation += 1);
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    // What fails then is a connection that was still being made: whoever asked for it is told.
    ending ??= promised((done) => raw.end(() => done(null, undefined)));
    return ending;
  };

  /** Undefined: it is of an earlier generation, and closed now. */
  const prepare = async (connection: PoolConnection): Promise<MysqlPoolConnection | undefined> => {
    const known = wrapped.get(connection);
    if (known?.generation === generation) return known.connection;
    if (known !== undefined) {
      quit(connection);
      return undefined;
    }
    const madeIn = generation;
    let session: Session;
    try {
      session = await startSession(connection, silenceS);
    } catch (error) {
      quit(connection);
      throw error;
    }
    const fresh = wrap(connection, timeoutMs, session, {
      released: () => inUse.delete(connection),
      // Of many failures at once one is enough: what was made since is another server's already.
      isElsewhere: () => madeIn === generation && renew(),
    });
    wrapped.set(connection, { connection: fresh, generation: madeIn });
    return fresh;
  };

  const take = async (): Promise<MysqlPoolConnection> => {
    waiting += 1;
    try {
      for (;;) {
        const connection = await promised<PoolConnection>((done) => raw.getConnection(done));
        const ready = await prepare(connection);
        if (ready === undefined) continue;
        inUse.add(connection);
        return ready;
      }
    } catch (error) {
      throw toSyncError(error);
    } finally {
      waiting -= 1;
    }
  };

  // Kysely takes the connection from us, so that one whose session could not be prepared is closed, not handed out.
  const pool: MysqlPool = {
    getConnection: (callback) => answer(take(), callback as Answer<MysqlPoolConnection>),
    end: (callback) => answer(end(), callback),
  };

  const db = new Kysely<unknown>({
    dialect: new SiteDialect(config.tablePrefix, { pool }),
    ...(options.onStatement === undefined ? {} : { log: (event: LogEvent) => options.onStatement?.(event.query.sql) }),
  });
  return {
    db,
    use: () => ({ inUse: inUse.size, waiting, limit }),
    renew,
    async close() {
      await db.destroy();
      await end();
    },
  };
}

/** Numbers, times and JSON come as the text the server sent. */
function driverOptions(config: DatabaseConfig, connectionLimit: number, silenceS: number): PoolOptions {
  return {
    ...(config.socketPath === null ? { host: config.host, port: config.port } : { socketPath: config.socketPath }),
    user: config.user,
    password: config.password,
    database: config.name,
    ...(config.ssl === false ? {} : { ssl: config.ssl === true ? {} : config.ssl }),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    multipleStatements: false,
    connectionLimit,
    // Idle connections above one are closed within a second, and that one before the server would.
    maxIdle: 1,
    idleTimeout: (silenceS * 1000) / 3,
    // Said goodbye to: a server writes a warning for each connection that only breaks off.
    gracefulEnd: true,
    connectTimeout: 10_000,
    enableKeepAlive: true,
    keepAliveInitialDelay: 10_000,
  };
}

/**
 * Ends a connection as the protocol wants it (COM_QUIT), which is in order when nothing is under way on it; one that is
 * broken is only closed. Nobody gets it again.
 */
function quit(connection: PoolConnection): void {
  // What comes of it concerns nobody: the server closes either way.
  connection.end(() => undefined);
}

type Answer<T> = (error: unknown, result?: T) => void;

/** Kysely wants callbacks. It makes promises of them again, so nothing thrown by one is lost. */
function answer<T>(promise: Promise<T>, callback: Answer<T>): void {
  void (async () => {
    let result: T;
    try {
      result = await promise;
    } catch (error) {
      callback(error);
      return;
    }
    callback(null, result);
  })();
}

interface Wrapped {
  readonly connection: MysqlPoolConnection;
  readonly generation: number;
}

/** Header and command of a packet. */
const COMMAND_BYTES = 5;

/** What is told of a connection. */
interface Told {
  readonly released: () => void;
  /** The server has sent us away. */
  readonly isElsewhere: () => void;
}

/** The face Kysely sees: parameters are checked on the way in, errors wrapped on the way out. */
function wrap(
  connection: PoolConnection,
  timeoutMs: number,
  { maxPacketBytes }: Session,
  told: Told,
): MysqlPoolConnection {
  /** Rights are looked up when a connection is made: one that lacks any would lack it after it was granted, too. */
  let wasDenied = false;
  const query = (text: string, parameters: unknown, callback?: (error: unknown, result: never) => void): never => {
    let statement: string;
    try {
      statement = connection.format(text, checkedParameters(parameters as readonly unknown[]));
      // The server would close the connection, as if it were away.
      const bytes = Buffer.byteLength(statement) + COMMAND_BYTES;
      if (bytes >= maxPacketBytes) throw statementTooLarge(bytes, maxPacketBytes);
    } catch (error) {
      callback?.(error, undefined as never);
      return undefined as never;
    }
    connection.query({ sql: statement, timeout: timeoutMs }, (error, result) => {
      // The answer may still come: nobody may use this connection again.
      if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') connection.destroy();
      if (isAnyRightMissing(error)) wasDenied = true;
      if (error && isElsewhere(error)) told.isElsewhere();
      callback?.(error ? toSyncError(error) : null, result as never);
    });
    return undefined as never;
  };
  return {
    config: connection.config,
    threadId: connection.threadId ?? 0,
    connect: (callback) => callback?.(null),
    query,
    release: () => {
      told.released();
      if (wasDenied) quit(connection);
      else connection.release();
    },
    destroy: () => {
      told.released();
      connection.destroy();
    },
  };
}
