/** `_file` twins: secrets that are read from files, such as those of a container runtime. */
import { dirname, isAbsolute, join } from 'node:path';
import { alternatives, hasTwin, type SchemaNode } from './schema.ts';

const SUFFIX = '_file';
const PATH: SchemaNode = { type: 'string', minLength: 1, expected: 'the path of a file' };

/** The twin's key. */
export function twinName(name: string): string {
  return `${name}${SUFFIX}`;
}

/** The key that a `_file` key stands for; undefined if there is no such twin in this mapping. */
export function twinOf(name: string, parent: SchemaNode): string | undefined {
  if (!name.endsWith(SUFFIX)) return undefined;
  const base = name.slice(0, -SUFFIX.length);
  return hasTwin(parent.properties?.[base]) ? base : undefined;
}

/** The schema of the twin: a path, or a list of paths where a list of values is allowed. */
export function twinSchema(base: SchemaNode): SchemaNode {
  const list = alternatives(base).find((node) => node.type === 'array');
  if (list === undefined) return PATH;
  const paths: SchemaNode = { type: 'array', items: PATH, minItems: list.minItems ?? 0 };
  return { anyOf: [PATH, paths], expected: 'the path of a file, or a list of paths' };
}

/** Where a relative path in the config points to: beside the config file, wherever the daemon was started. */
export function besideConfig(configFile: string, path: string): string {
  return isAbsolute(path) ? path : join(dirname(configFile), path);
}

/** The content without the newline that editors put at the end. */
export function withoutNewline(content: string): string {
  return content.replace(/\r?\n$/, '');
}
