/** Who runs a command. */
import { userInfo } from 'node:os';
import { newTrace } from '../runtime/trace.ts';
import type { Actor } from '../server/deps.ts';

/** As log records name them: `command line (ana)`. In a container without a name for the account, its number. */
export function localActor(): Actor {
  return { name: `command line (${accountName()})`, keyDigest: null, ip: null, trace: newTrace() };
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 'unknown');
  }
}
