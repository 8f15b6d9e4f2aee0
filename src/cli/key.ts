/** `account-sync key`: a new random key. */
import { newKey } from '../runtime/new-key.ts';
import type { ExitCode, Terminal } from './context.ts';

/** Prints one. */
export async function printKey(terminal: Terminal): Promise<ExitCode> {
  terminal.out(`${newKey()}\n`);
  return 0;
}
