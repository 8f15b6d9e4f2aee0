/** How the image runs the daemon, read from the Dockerfile: for tests of what the daemon needs. */
import { readFileSync } from 'node:fs';

const IMAGE = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8');

/** What stands between `node` and the program in the ENTRYPOINT. */
export function imageFlags(): string[] {
  const entry = /^ENTRYPOINT (\[.*\])$/m.exec(IMAGE)?.[1] ?? '[]';
  return (JSON.parse(entry) as string[]).slice(1, -1);
}

/** What the ENV lines say of memory. */
export function imageEnv(): Record<string, string> {
  return Object.fromEntries(
    [...IMAGE.matchAll(/^ENV (MALLOC_\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}
