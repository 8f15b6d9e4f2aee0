/** Reads the files that `_file` keys name. */
import { expectation, fitsLeaf } from './read-scalar.ts';
import { type ConfigReading, spotOf } from './reading.ts';
import type { SchemaNode } from './schema.ts';
import { besideConfig, twinSchema, withoutNewline } from './secret-files.ts';
import { whyUnreadable } from './unreadable.ts';

/**
 * The content of the file, or the contents of the files, that the twin at `path` names; `readPaths` reads the paths from
 * the config, and `basePath` is the key it stands for.
 * What cannot be read or does not fit `base` is reported and undefined; messages tell no more than the length.
 */
export function readTwin(
  reading: ConfigReading,
  readPaths: (schema: SchemaNode) => unknown,
  base: SchemaNode,
  { path, basePath }: { readonly path: string; readonly basePath: string },
): unknown {
  const paths = readPaths(twinSchema(base));
  // What is said later about the value is said of the twin, which is what stands in the file.
  reading.spots.set(basePath, spotOf(reading, path));
  if (typeof paths === 'string') return readContent(reading, paths, base, path);
  if (!Array.isArray(paths)) return undefined;
  return paths.map((one: unknown, index) => {
    const at = `${path}[${index}]`;
    reading.spots.set(`${basePath}[${index}]`, spotOf(reading, at));
    return typeof one === 'string' ? readContent(reading, one, base, at) : undefined;
  });
}

function readContent(reading: ConfigReading, path: string, base: SchemaNode, at: string): string | undefined {
  const spot = spotOf(reading, at);
  const file = besideConfig(reading.file, path);
  reading.secretFiles.add(file);
  let content: string;
  try {
    content = withoutNewline(reading.readFile(file));
  } catch (error) {
    reading.report(spot.place, at, `the file cannot be read: ${whyUnreadable(error)}`);
    return undefined;
  }
  if (fitsLeaf(base, content)) return content;
  const found = `${content.length} characters in the file`;
  reading.report(spot.place, at, `expected ${expectation(base)} (got ${found})`);
  return undefined;
}
