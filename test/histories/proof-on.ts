/** What a site of a history knows of proofs. */
import { presentProof, type Proof } from '../../src/model/proof.ts';
import type { HostRow, Memory } from './memory/database.ts';
import { toHostUser } from './memory/host.ts';

/** The proof that a site knows of the present address of a row; null: none. */
export function proofOn(memory: Memory, site: string, row: HostRow): Proof | null {
  const stored = memory.tables.users.get(row.id);
  if (stored === undefined) return null;
  const didAtFirstSight = memory.tables.state.get('validated_at_first_sight') === 'yes';
  const origin = { site, priority: 0 };
  return presentProof(stored.provenance, toHostUser(row), stored.shadow, origin, { didAtFirstSight });
}
