/** Reads the tree of the file along its description: every problem is reported, every value that is fine is returned. */
import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { describeCollection } from './describe.ts';
import { expectation, readLeaf } from './read-scalar.ts';
import { readTwin } from './read-secret-file.ts';
import { pathBelow, type ConfigReading } from './reading.ts';
import { alternatives, hasTwin, isRequired, type SchemaNode } from './schema.ts';
import { shownKey, unknownKey } from './suggest.ts';
import { twinName, twinOf } from './secret-files.ts';
import type { SourcePosition } from './yaml-source.ts';

/** Where a node stands: the place is that of the key, for nodes that are not there at all. */
interface NodePosition {
  readonly path: string;
  readonly keyPlace: SourcePosition;
  readonly alias?: string | undefined;
}

/**
 * The value of a node in plain data, with defaults filled in. What is wrong is reported and undefined. Places of all
 * values are noted in `reading.spots`.
 */
export function readNode(reading: ConfigReading, node: Node | null, schema: SchemaNode, at: NodePosition): unknown {
  const place = node === null ? at.keyPlace : reading.source.placeOf(node);
  if (!reading.spots.has(at.path)) reading.spots.set(at.path, { place, path: at.path });
  if (isAlias(node)) return readAlias(reading, node, schema, at);

  const kinds = alternatives(schema);
  const mapping = kinds.find((kind) => kind.type === 'object');
  const list = kinds.find((kind) => kind.type === 'array');
  if (isMap(node) && mapping !== undefined) return readMapping(reading, node, mapping, at.path, at.alias);
  if (isSeq(node) && list !== undefined) return readList(reading, node, list, at.path, at.alias);
  if (node === null || isScalar(node)) {
    return readLeaf(reading, node, schema, { place, path: at.path, alias: at.alias });
  }
  const found = describeCollection(node) ?? 'something else';
  reading.report(place, at.path, `expected ${expectation(schema)} (got ${found})`);
  return undefined;
}

/** The defaults of everything below a schema; undefined where there are none. */
function defaultOf(schema: SchemaNode): unknown {
  if ('default' in schema) return structuredClone(schema.default);
  if (schema.type !== 'object') return undefined;
  const entries = Object.entries(schema.properties ?? {}).map(([name, child]) => [name, defaultOf(child)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function readAlias(reading: ConfigReading, node: Alias, schema: SchemaNode, at: NodePosition): unknown {
  const target = node.resolve(reading.source.document);
  if (target !== undefined) return readNode(reading, target, schema, { ...at, alias: `*${node.source}` });
  const message = 'alias without an anchor before it; put text that starts with * in quotes';
  reading.report(reading.source.placeOf(node), at.path, message);
  return undefined;
}

function readList(reading: ConfigReading, node: YAMLSeq, schema: SchemaNode, path: string, alias?: string): unknown {
  const { items: itemSchema = {}, minItems = 0, uniqueItems = false } = schema;
  const place = reading.source.placeOf(node);
  if (node.items.length < minItems) reading.report(place, path, 'expected at least one entry (got none)');
  const values = node.items.map((item, index) =>
    readNode(reading, item as Node | null, itemSchema, { path: `${path}[${index}]`, keyPlace: place, alias }),
  );
  if (uniqueItems) reportRepeats(reading, values, path);
  return values;
}

function reportRepeats(reading: ConfigReading, values: readonly unknown[], path: string): void {
  for (const [index, value] of values.entries()) {
    const first = values.indexOf(value);
    const spot = reading.spots.get(`${path}[${index}]`);
    if (value === undefined || first === index || spot === undefined) continue;
    reading.report(spot.place, spot.path, `the same as ${path}[${first}]`);
  }
}

function readMapping(reading: ConfigReading, node: YAMLMap, schema: SchemaNode, path: string, alias?: string): unknown {
  const properties = schema.properties ?? {};
  const values: Record<string, unknown> = {};
  const known = knownKeys(schema);
  const seen = new Set<string>();
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    const keyPlace = pair.key === null ? reading.source.placeOf(node) : reading.source.placeOf(pair.key);
    const name = keyName(pair.key);
    if (name === undefined) {
      reading.report(keyPlace, path, 'expected a name before the colon');
      continue;
    }
    const at = { path: pathBelow(path, shownKey(name, known)), keyPlace, alias };
    if (seen.has(name)) {
      reading.report(keyPlace, at.path, 'duplicate key');
      continue;
    }
    seen.add(name);
    const child = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const base = child === undefined ? twinOf(name, schema) : undefined;
    const twinned = base === undefined ? undefined : properties[base];
    if (child !== undefined) values[name] = readNode(reading, pair.value, child, at);
    else if (base !== undefined && twinned !== undefined) {
      const where = { path: at.path, basePath: pathBelow(path, base) };
      const fromFile = readTwin(reading, (twin) => readNode(reading, pair.value, twin, at), twinned, where);
      values[base] ??= fromFile;
    } else reading.report(keyPlace, at.path, unknownKey(name, known));
  }
  reportTwins(reading, schema, seen, path);
  return withMissing(reading, node, schema, { values, seen, path });
}

function reportTwins(reading: ConfigReading, schema: SchemaNode, seen: ReadonlySet<string>, path: string): void {
  for (const name of seen) {
    const base = twinOf(name, schema);
    const spot = reading.spots.get(pathBelow(path, name));
    if (base === undefined || !seen.has(base) || spot === undefined) continue;
    reading.report(spot.place, spot.path, `${base} is given as well; only one of them can be`);
  }
}

function withMissing(
  reading: ConfigReading,
  node: YAMLMap,
  schema: SchemaNode,
  { values, seen, path }: { values: Record<string, unknown>; seen: ReadonlySet<string>; path: string },
): unknown {
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    const twin = hasTwin(child) ? twinName(name) : undefined;
    if (seen.has(name) || (twin !== undefined && seen.has(twin))) continue;
    if (!isRequired(schema, name)) {
      const value = defaultOf(child);
      if (value !== undefined) values[name] = value;
      continue;
    }
    const hint = twin === undefined ? '' : ` here, or ${twin}`;
    reading.report(
      reading.source.placeOf(node),
      pathBelow(path, name),
      `missing: expected ${expectation(child)}${hint}`,
    );
  }
  return values;
}

function knownKeys(schema: SchemaNode): string[] {
  const properties = Object.entries(schema.properties ?? {});
  const twins = properties.filter(([, child]) => hasTwin(child)).map(([name]) => twinName(name));
  return [...properties.map(([name]) => name), ...twins];
}

/** Keys such as `1` or `true` are names too: unknown ones. */
function keyName(key: Node | null): string | undefined {
  const value: unknown = isScalar(key) ? key.value : undefined;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'string' ? value : undefined;
}
