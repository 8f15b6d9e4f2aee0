/** A config file that was mounted into a container alone, without its folder: edits that put a new file in its place never show. */
import { readFileSync, realpathSync } from 'node:fs';

/** What is said of it, in the log and by `check`. */
export const MOUNTED_ALONE =
  'is mounted alone: what puts a new file in its place, as editors and sed -i do, is never seen here';
/** What to do about it. */
export const MOUNT_THE_FOLDER = 'Mount its folder instead: -v "$PWD/config:/config:ro".';

/**
 * True if the file is a mount of its own. False also where the system does not tell.
 *
 * @param mounts the text of `/proc/self/mountinfo`; read unless given
 */
export function isMountedAlone(file: string, mounts?: string): boolean {
  try {
    const path = realpathSync(file);
    const lines = (mounts ?? readFileSync('/proc/self/mountinfo', 'utf8')).split('\n');
    return lines.some((line) => unescaped(line.split(' ')[4] ?? '') === path);
  } catch {
    return false;
  }
}

/** Blanks and the like stand as `\040`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));
}
