/** The database account of the daemon: the statements that make it, and from where it may come, as narrow as can be told. */
import { createSocket } from 'node:dgram';
import { isLoopback } from '../config/url.ts';
import { lookup } from 'node:dns/promises';
import { grantsSql, quoteAccount, type CaptureMode } from '../capture/install.ts';
import type { DatabaseConfig } from '../config/config.ts';

/** What stands for a host that cannot be told from here; nobody can log in from it. */
export const UNKNOWN_HOST = 'ADDRESS-OF-THE-DAEMON';
/** What Docker and compose give to the containers of one machine, as MySQL and MariaDB write a network. */
export const CONTAINERS = '172.16.0.0/255.240.0.0';

/** An account to be made. */
export interface NewAccount {
  readonly user: string;
  readonly host: string;
  /** Secret. */
  readonly password: string;
  /** The database it works in. */
  readonly schema: string;
  readonly mode: CaptureMode;
  /** True if the server refuses triggers to accounts without SUPER (error 1419). */
  readonly needsTrust: boolean;
}

/** `CREATE USER …`, `GRANT …`, and the setting that triggers need: for an administrator, without semicolons. */
export function newAccountSql({ user, host, password, schema, mode, needsTrust }: NewAccount): string[] {
  const account = quoteAccount(user, host);
  const trust = needsTrust && mode === 'triggers' ? ['SET GLOBAL log_bin_trust_function_creators = 1'] : [];
  const secret = password.replaceAll(/['\\]/g, (character) => `${character}${character}`);
  return [`CREATE USER ${account} IDENTIFIED BY '${secret}'`, ...grantsSql(schema, account, mode), ...trust];
}

/**
 * The host for an account where the server cannot be asked: `localhost` for a server of this machine, else the address by
 * which this machine goes there. {@link UNKNOWN_HOST} where that cannot be told; never `%`.
 */
export async function likelyHost({
  host,
  port,
  socketPath,
}: Pick<DatabaseConfig, 'host' | 'port' | 'socketPath'>): Promise<string> {
  if (socketPath !== null || isLoopback(host)) return 'localhost';
  return (await addressTowards(host, port)) ?? UNKNOWN_HOST;
}

/** The address that connections to this host have at our end: a UDP socket that is connected sends nothing. */
async function addressTowards(host: string, port: number): Promise<string | undefined> {
  try {
    const { address, family } = await lookup(host);
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    try {
      return await new Promise<string>((resolve, reject) => {
        socket.once('error', reject);
        socket.connect(port, address, () => resolve(socket.address().address));
      });
    } finally {
      socket.close();
    }
  } catch {
    return undefined;
  }
}
