/**
 * How log records name a key without telling it: eight hex digits. They are made with secrets of the config, so that whoever
 * has the log, or a copy of the database, cannot try out guesses at a weak key against them.
 */
import { createHmac, hkdfSync, scryptSync } from 'node:crypto';
import type { Config } from '../config/config.ts';

/** Eight hex digits that name a key in the logs of one site, as long as its own secrets stay. */
export type KeyDigest = (key: string | Uint8Array) => string;

/** The parts of a config that digests are made with. */
export interface Secrets {
  readonly site: Pick<Config['site'], 'signingKey' | 'apiKey'>;
  readonly database: Pick<Config['database'], 'password'>;
}

/** All processes with one config have the same digests. */
export function makeKeyDigest({ site, database }: Secrets): KeyDigest {
  const secrets = JSON.stringify([site.signingKey, site.apiKey, database.password]);
  const pepper = Buffer.from(hkdfSync('sha256', secrets, '', 'account-sync key digest', 32));
  return (key) => createHmac('sha256', pepper).update(key).digest('hex').slice(0, 8);
}

/**
 * Eight hex digits that are the same wherever the key is, for a database that may have been copied with its config: each guess
 * takes 50 ms of work and 32 MiB. So does the first call; the last result is remembered.
 */
export function makeSlowKeyDigest(): (key: string) => string {
  let last: { readonly key: string; readonly digest: string } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, digest: slowDigest(key) };
    return last.digest;
  };
}

function slowDigest(key: string): string {
  return scryptSync(key, 'account-sync site.api_key', 4, { N: 2 ** 15, r: 8, p: 1, maxmem: 2 ** 26 }).toString('hex');
}
