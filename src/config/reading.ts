/** What the reading of one config file shares: where it looks, and where it says what is wrong. */
import type { SourcePosition, YamlSource } from './yaml-source.ts';

/** A value's place, and its path as it is in the file: `site.api_key_file` where the twin was given. */
export interface Spot {
  readonly place: SourcePosition;
  readonly path: string;
}

/** Reads a text file, or throws as node:fs does. */
export type ReadFile = (path: string) => string;

/** One reading of one file. */
export interface ConfigReading {
  /** The path of the config file as it was given. */
  readonly file: string;
  readonly source: YamlSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: ReadFile;
  /** Path of a value → its spot, for everything that is in the file. */
  readonly spots: Map<string, Spot>;
  /** Files that `_file` keys named. */
  readonly secretFiles: Set<string>;
  /** Paths of secrets that stand in the file itself, not in the environment or another file. */
  readonly plainSecrets: Set<string>;
  readonly report: (place: SourcePosition, path: string, message: string) => void;
}

/** The spot of a value, or of the nearest thing around it if it is not in the file. */
export function spotOf(reading: ConfigReading, path: string): Spot {
  let around = path;
  while (around !== '') {
    const spot = reading.spots.get(around);
    if (spot !== undefined) return around === path ? spot : { place: spot.place, path };
    around = around.replace(/(?:^|\.)[^.[\]]+$|\[\d+\]$/, '');
  }
  return { place: reading.spots.get('')?.place ?? { line: 1, column: 1 }, path };
}

/** The path of a key below a path. */
export function pathBelow(path: string, key: string): string {
  const shown = /^[\w$-]+$/.test(key) ? key : JSON.stringify(key);
  return path === '' ? shown : `${path}.${shown}`;
}
