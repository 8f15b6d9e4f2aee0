/** `account-sync key`: a new random key, or a new pair to sign with. */
import { fingerprintOf, newSigningKey, publicHalf } from '../model/signing-key.ts';
import { newKey } from '../runtime/new-key.ts';
import { writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';

/** Flags of the command. */
export interface KeyFlags extends DataOptions {
  /** A pair to sign with, in place of a key. */
  readonly pair?: boolean;
}

/** Prints one; a pair as lines of a config: `signing_key` for ours, `public_key` for those of peers, and its fingerprint. */
export async function printKey({ pair, json }: KeyFlags, terminal: Terminal): Promise<ExitCode> {
  const made = pair === true ? newPair() : { key: newKey() };
  if (json === true) writeJson(terminal, made);
  else if ('key' in made) terminal.out(`${made.key}\n`);
  else for (const [name, value] of Object.entries(made)) terminal.out(`${name}: ${value}\n`);
  return 0;
}

function newPair(): Readonly<Record<'signing_key' | 'public_key' | 'fingerprint', string>> {
  const key = newSigningKey();
  const publicKey = publicHalf(key);
  return { signing_key: key, public_key: publicKey, fingerprint: fingerprintOf(publicKey) };
}
