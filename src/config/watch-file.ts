/** Edits of the config file, and of the files of secrets it names, while a daemon runs. */
import { readFile, stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { loadConfig, type LoadedConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { whyUnreadable } from './unreadable.ts';

/** Where a running daemon learns of edits. */
export interface ConfigWatcher {
  /**
   * The config as the files have it now, or undefined: nothing was edited since it was last returned, or somebody is
   * still writing. An edit counts once two looks in a row saw the same, at once with `atOnce`. The first call returns a
   * config, and what is returned may equal what was returned before. Throws ConfigError; then the next look reads again, edited or not.
   */
  readonly read: (atOnce: boolean) => Promise<LoadedConfig | undefined>;
}

/**
 * Contents are compared, not times: editors, container runtimes and file systems all keep those differently. A look at
 * unchanged files costs some 0.1 ms.
 */
export function makeConfigWatcher(file: string, env: NodeJS.ProcessEnv): ConfigWatcher {
  let secretFiles: readonly string[] = [];
  let seen: readonly string[] | undefined;
  let taken: readonly string[] | undefined;
  let hadName = false;
  return {
    async read(atOnce) {
      const names = await linksOf(file);
      // A mount goes on showing a file that has no name any more where it came from.
      if (hadName && names === 0) throw replaced(file);
      hadName ||= (names ?? 0) > 0;
      const now = await Promise.all([file, ...secretFiles].map(contentOf));
      const isWritten = atOnce || seen === undefined || isDeepStrictEqual(now, seen);
      seen = now;
      if (!isWritten || isDeepStrictEqual(now, taken)) return undefined;
      taken = undefined;
      const loaded = await loadConfig(file, env);
      // Of other files than these we have not seen what they held when they were read.
      taken = isDeepStrictEqual(loaded.secretFiles, secretFiles) ? now : undefined;
      secretFiles = loaded.secretFiles;
      return loaded;
    },
  };
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'base64');
  } catch (error) {
    return whyUnreadable(error);
  }
}

/** How many names the file has; undefined: it cannot be told now. */
async function linksOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).nlink;
  } catch {
    return undefined;
  }
}

function replaced(file: string): ConfigError {
  const message =
    'was replaced by a file that cannot be seen here, for it is mounted alone; restart the container, and mount the folder instead';
  return new ConfigError([{ file, line: null, column: null, path: '', message }]);
}
