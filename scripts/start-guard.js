/** The process that cleans up after this one, however it ends; see guard.js. */

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @returns {{ later: (leftover: import('./guard.js').Leftover) => void, end: () => Promise<void> }}
 *   `later`: what is to be got rid of at the end; `end`: does it, and waits until it is done
 */
export function startGuard() {
  const file = fileURLToPath(new URL('guard.js', import.meta.url));
  const child = spawn(process.execPath, [file], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] });
  const gone = new Promise((resolve) => child.once('exit', resolve));
  return {
    later: (leftover) => void child.stdin.write(`${JSON.stringify(leftover)}\n`),
    end: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
