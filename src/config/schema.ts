/**
 * The one description of the config file. Checks, defaults, config.example.yaml and config.schema.json all come from
 * it, and nothing about a key is said anywhere else.
 */
import { Type, type Static } from 'typebox';
import { httpSchema, logsSchema } from './schema-http.ts';
import { peersSchema } from './schema-peer.ts';
import { databaseSchema, siteSchema } from './schema-site.ts';
import {
  captureSchema,
  columnsSchema,
  feedSchema,
  guardSchema,
  locationsSchema,
  quotasSchema,
  relatedTablesSchema,
  removalSchema,
  streamSchema,
} from './schema-sync.ts';

/** The whole file. A key that has a default, or is `Optional`, may be missing. */
export const configSchema = Type.Object(
  {
    site: siteSchema,
    database: databaseSchema,
    http: httpSchema,
    capture: captureSchema,
    columns: columnsSchema,
    related_tables: relatedTablesSchema,
    feed: feedSchema,
    stream: streamSchema,
    locations: locationsSchema,
    removal: removalSchema,
    guard: guardSchema,
    quotas: quotasSchema,
    logs: logsSchema,
    peers: peersSchema,
  },
  { additionalProperties: false },
);

/** A checked file with defaults filled in, still in its own words: snake_case, durations and sizes as text. */
export type RawConfig = Static<typeof configSchema>;

/** What of a file could be read; everything that is missing or wrong is undefined. */
export type Draft<T> = T extends readonly (infer Item)[]
  ? readonly (Draft<Item> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: Draft<T[K]> | undefined }
    : T;

/** A schema as data: what walks over it reads. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean';
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly enum?: readonly unknown[];
  readonly minItems?: number;
  readonly minLength?: number;
  readonly uniqueItems?: boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly expected?: string;
  readonly secret?: true;
  /** No secret, and never quoted where it is wrong: what stands there by mistake may be one. */
  readonly unquoted?: true;
  /** Not required, and in config.example.yaml all the same. */
  readonly shown?: true;
}

/** The alternatives a schema allows: itself, or those of a union. */
export function alternatives(schema: SchemaNode): readonly SchemaNode[] {
  return schema.anyOf ?? [schema];
}

/** True if the key must be in the file: no default, not optional, and neither may everything below it be left out. */
export function isRequired(parent: SchemaNode, name: string): boolean {
  const child = parent.properties?.[name];
  if (child === undefined || 'default' in child || parent.required?.includes(name) !== true) return false;
  return child.type !== 'object' || Object.keys(child.properties ?? {}).some((below) => isRequired(child, below));
}

/** True if the key may be read from a file named by a `_file` twin. */
export function hasTwin(schema: SchemaNode | undefined): boolean {
  return schema?.secret === true;
}
