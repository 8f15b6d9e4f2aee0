/** The description of the config → config.schema.json, which editors check and complete with. */
import { alternatives, configSchema, hasTwin, isRequired, type SchemaNode } from './schema.ts';
import { fitsLeaf } from './read-scalar.ts';
import { twinName, twinSchema } from './secret-files.ts';

type Json = Record<string, unknown>;

/** Text with something that is replaced from the environment: only the daemon can say whether it is right. */
const FROM_ENVIRONMENT: Json = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' };
const PROBE = '${A}';

/** Words that are only for our own checks. */
const OWN = new Set(['expected', 'secret', 'unquoted', 'shown', 'properties', 'required', 'items', 'anyOf']);

/** A JSON schema (draft 7) of the config file, with the `_file` twins and with `${NAME}` wherever text may stand. */
export function renderJsonSchema(): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Config of account-sync',
    ...renderNode(configSchema),
  };
}

function renderNode(schema: SchemaNode): Json {
  const own = Object.fromEntries(Object.entries(schema).filter(([word]) => !OWN.has(word)));
  if (schema.type === 'object') return { ...own, ...renderMapping(schema) };
  if (schema.type === 'array') return { ...own, items: renderNode(schema.items ?? {}) };
  if (schema.anyOf === undefined) return withEnvironment(schema, own);
  const kinds = alternatives(schema).map(renderNode);
  return { ...own, anyOf: [...kinds.flatMap(flat), ...(fitsLeaf(schema, PROBE) ? [] : [FROM_ENVIRONMENT])] };
}

/** What explains a leaf stays outside, where editors look for it. */
function withEnvironment(schema: SchemaNode, own: Json): Json {
  if (fitsLeaf(schema, PROBE)) return own;
  const { description, default: standard, examples, ...checks } = own;
  const words = Object.entries({ description, default: standard, examples }).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(words), anyOf: [checks, FROM_ENVIRONMENT] };
}

/** An `anyOf` in an `anyOf` says no more than one. */
function flat(kind: Json): Json[] {
  const below = kind['anyOf'];
  return Array.isArray(below) ? (below as Json[]).filter((one) => one !== FROM_ENVIRONMENT) : [kind];
}

function renderMapping(schema: SchemaNode): Json {
  const properties: Json = {};
  const required: string[] = [];
  const allOf: Json[] = [];
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    properties[name] = renderNode(child);
    const must = isRequired(schema, name);
    if (!hasTwin(child)) {
      if (must) required.push(name);
      continue;
    }
    const twin = twinName(name);
    properties[twin] = { ...renderNode(twinSchema(child)), description: `Path of a file that holds ${name}.` };
    allOf.push(must ? { oneOf: [{ required: [name] }, { required: [twin] }] } : { not: { required: [name, twin] } });
  }
  return { properties, ...(required.length > 0 ? { required } : {}), ...(allOf.length > 0 ? { allOf } : {}) };
}
