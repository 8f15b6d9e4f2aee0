/** Reads one scalar of the file: replaces what comes from the environment and checks it against its description. */
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { Scalar } from 'yaml';
import { describeFound } from './describe.ts';
import { interpolate } from './interpolate.ts';
import type { ConfigReading } from './reading.ts';
import { alternatives, type SchemaNode } from './schema.ts';
import type { SourcePosition } from './yaml-source.ts';

/** Where a scalar stands. */
export interface ScalarPosition {
  readonly place: SourcePosition;
  readonly path: string;
  /** `*name` where an alias led here. */
  readonly alias?: string | undefined;
}

/** The checked value; undefined after a problem was reported. */
export function readLeaf(reading: ConfigReading, node: Scalar | null, schema: SchemaNode, at: ScalarPosition): unknown {
  const given = node?.value;
  const complain = (message: string): undefined => {
    reading.report(at.place, at.path, message);
    return undefined;
  };
  if (typeof given !== 'string') return checked(given, at.alias);

  const filled = interpolate(given, reading.env);
  if (schema.secret === true && filled.ok && !filled.replaced) reading.plainSecrets.add(at.path);
  if (!filled.ok) return complain(filled.message);
  const origin = filled.replaced ? given : at.alias;
  const typed = filled.replaced && node?.type === 'PLAIN' ? retyped(filled.text, schema) : filled.text;
  return checked(typed, origin);

  function checked(value: unknown, source: string | undefined): unknown {
    if (fitsLeaf(schema, value)) return value;
    const scalars = leaves(schema);
    const wantsText = scalars.some((leaf) => leaf.type === 'string');
    // Where no text is taken at all, the text may well be a secret that slipped a line.
    const found =
      typeof value === 'string' && scalars.length === 0
        ? 'text'
        : describeFound({
            value,
            source,
            secret: schema.secret === true,
            unquoted: schema.unquoted === true,
            wantsText,
          });
    return complain(`expected ${expectation(schema)} (got ${found})`);
  }
}

/** True if a value that is no list and no mapping fits the schema. */
export function fitsLeaf(schema: SchemaNode, value: unknown): boolean {
  return leaves(schema).some((leaf) => Value.Check(leaf as TSchema, value));
}

/** Completes the sentence "expected …". */
export function expectation(schema: SchemaNode): string {
  if (schema.expected !== undefined) return schema.expected;
  if (schema.type === 'object') return 'a mapping';
  return schema.type === 'array' ? 'a list' : 'something else';
}

/** `port: ${PORT}` means a number, as it would without the detour through the environment. */
function retyped(text: string, schema: SchemaNode): unknown {
  if (fitsLeaf(schema, text)) return text;
  if (/^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) && fitsLeaf(schema, Number(text))) return Number(text);
  return (text === 'true' || text === 'false') && fitsLeaf(schema, text === 'true') ? text === 'true' : text;
}

function leaves(schema: SchemaNode): readonly SchemaNode[] {
  return alternatives(schema).filter((node) => node.type !== 'object' && node.type !== 'array');
}
