/** Nonces of signed requests, shared by all daemons of a site: table `nonce`. */
import { sql, type Kysely } from 'kysely';
import { isDuplicate } from '../db/failures.ts';
import { own } from '../db/own-tables.ts';
import { toSqlTime } from '../db/time.ts';

/** Clocks of several daemons may differ by this much, and none of them takes a copy. */
const KEEP_MS = 3_600_000;
/** Rows of one DELETE: some milliseconds. */
const BATCH = 5_000;

/**
 * True if that peer did not use it before, for whichever daemon asks first.
 * `INSERT INTO nonce (peer, nonce, expires_at) VALUES (…)`
 */
export async function rememberNonce(
  db: Kysely<unknown>,
  peer: string,
  nonce: string,
  expiresMs: number,
): Promise<boolean> {
  try {
    await sql`INSERT INTO ${own.nonce} (peer, nonce, expires_at)
      VALUES (${peer}, ${nonce}, ${toSqlTime(expiresMs)})`.execute(db);
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

/** Those of signatures that are good no longer by any clock go. `DELETE FROM nonce WHERE expires_at < … LIMIT 5000` */
export async function expireNonces(db: Kysely<unknown>, nowMs: number, signal?: AbortSignal): Promise<void> {
  const before = toSqlTime(nowMs - KEEP_MS);
  for (;;) {
    signal?.throwIfAborted();
    const { numAffectedRows = 0n } = await sql`
      DELETE FROM ${own.nonce} WHERE expires_at < ${before} ORDER BY expires_at LIMIT ${BATCH}`.execute(db);
    if (numAffectedRows < BATCH) return;
  }
}
