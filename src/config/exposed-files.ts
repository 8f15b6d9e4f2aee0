/** Files with secrets, and the config itself, that other accounts of the machine may read or write. */
import { readFileSync, realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { LoadedConfig } from './load.ts';

/** One such file. */
export interface ExposedFile {
  readonly file: string;
  /** Completes the sentence "FILE …". */
  readonly why: string;
  readonly remedy: string;
}

const [READ, WRITE, SEARCH] = [4, 2, 1];

/**
 * Judged by mode bits alone, so access control lists are not seen. A config is to be hidden if it holds a secret itself;
 * nobody else may write it in any case, for it says whom we believe. What a container or systemd hands over in memory has
 * no other readers and is not judged. Empty where the system has no such bits.
 *
 * @param mounts the text of `/proc/self/mountinfo`; read unless given
 */
export function exposedFiles(
  { file, secretFiles, holdsSecrets }: Pick<LoadedConfig, 'file' | 'secretFiles' | 'holdsSecrets'>,
  mounts: string = readMounts(),
): ExposedFile[] {
  if (process.getuid === undefined) return [];
  const found = [
    judge(file, holdsSecrets ? READ | WRITE : WRITE, mounts),
    ...secretFiles.map((one) => judge(one, READ | WRITE, mounts)),
  ];
  return found.filter((one) => one !== undefined);
}

function judge(file: string, bits: number, mounts: string): ExposedFile | undefined {
  try {
    const path = realpathSync(file);
    if (isHandedOver(path, mounts)) return undefined;
    const stats = statSync(path);
    const who = whoMay(stats, bits, path);
    if (who !== undefined) {
      const what = (stats.mode & (who === 'others' ? WRITE : WRITE << 3)) === 0 ? 'read' : 'write';
      const rights = (stats.mode & 0o777).toString(8).padStart(3, '0');
      const why = `can be ${what === 'read' ? 'read' : 'written'} by ${who === 'others' ? 'every account of this machine' : `group ${stats.gid}`} (mode ${rights})`;
      return { file, why, remedy: `chmod ${who === 'others' ? 'o' : 'g'}-rw ${file}` };
    }
    const folder = statSync(dirname(path));
    const isSticky = (folder.mode & 0o1000) !== 0;
    if (!isSticky && (folder.mode & WRITE) !== 0) {
      const why = 'can be replaced by every account of this machine, which may write in its folder';
      return { file, why, remedy: `chmod o-w ${dirname(path)}` };
    }
  } catch {
    // Whether it can be read at all is told elsewhere.
  }
  return undefined;
}

function whoMay({ mode, uid, gid }: Stats, bits: number, path: string): 'others' | 'group' | undefined {
  if ((mode & bits) !== 0 && isReached(path)) return 'others';
  // Whose file it is needs no group; whoever else reads it may well read it through that group.
  const needsGroup = uid !== process.geteuid?.() || gid === process.getegid?.() || process.getgroups?.().includes(gid);
  return (mode & (bits << 3)) !== 0 && needsGroup !== true ? 'group' : undefined;
}

/** True if every folder above can be passed by others. */
function isReached(path: string): boolean {
  const folder = dirname(path);
  if ((statSync(folder).mode & SEARCH) === 0) return false;
  return folder === dirname(folder) || isReached(folder);
}

/** True if the file lies in a read-only file system in memory, as secrets of Docker, Kubernetes and systemd do. */
function isHandedOver(path: string, mounts: string): boolean {
  const around = mounts
    .split('\n')
    .map((line) => {
      // ID, parent, device, root, point, flags, any number of others, a dash, type, …
      const words = line.split(' ');
      const [, , , , point = '', flags = ''] = words;
      return { point, flags, type: words[words.indexOf('-', 6) + 1] ?? '' };
    })
    .filter(({ point }) => point.startsWith('/'))
    .filter(({ point }) => path === point || path.startsWith(point === '/' ? '/' : `${point}/`))
    .toSorted((a, b) => b.point.length - a.point.length)[0];
  return /^(?:tmpfs|ramfs)$/.test(around?.type ?? '') && (around?.flags ?? '').split(',').includes('ro');
}

function readMounts(): string {
  try {
    return readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return '';
  }
}
