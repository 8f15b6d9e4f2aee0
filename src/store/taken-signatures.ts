/** Which peers took our signature: table `peer`. From then on no key is shown to them; see src/peer/own-credentials.ts. */
import { sql } from 'kysely';
import { own } from '../db/own-tables.ts';
import type { Runner } from '../db/transaction.ts';

/** Fingerprint of our key whose signature the peer took last; null: none. `SELECT signed_as FROM peer WHERE name = ?` */
export async function readTakenSignature(runner: Runner, peer: string): Promise<string | null> {
  const { rows } = await sql<{ signed_as: string | null }>`
    SELECT signed_as FROM ${own.peer} WHERE name = ${peer}`.execute(runner);
  return rows[0]?.signed_as ?? null;
}

/** The peer took a signature of the key with this fingerprint; null: it took a key, and no signature. */
export async function noteTakenSignature(runner: Runner, peer: string, fingerprint: string | null): Promise<void> {
  await sql`INSERT INTO ${own.peer} (name, signed_as) VALUES (${peer}, ${fingerprint})
    ON DUPLICATE KEY UPDATE signed_as = VALUES(signed_as)`.execute(runner);
}
