/** `account-sync key`: a new random key. */
import { randomBytes } from 'node:crypto';
import type { ExitCode, Terminal } from './context.ts';

/** Prints 40 characters that need no quoting anywhere: 240 random bits. */
export async function key(terminal: Terminal): Promise<ExitCode> {
  terminal.out(`${randomBytes(30).toString('base64url')}\n`);
  return 0;
}
