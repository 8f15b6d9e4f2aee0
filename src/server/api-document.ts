/**
 * What the schemas of the routes do not say of the API, added to the OpenAPI document: names for the schemas that have a
 * title, what may go wrong at each route, and examples.
 */
import { ERRORS, type ErrorCode } from '../model/errors.ts';
import { ErrorAnswer } from '../model/response-schemas.ts';
import { EXAMPLES, exampleOfError } from './examples.ts';

interface Media {
  schema?: unknown;
  examples?: Record<string, { readonly summary?: string; readonly value: unknown }>;
}
interface ApiResponse {
  readonly $ref?: string;
  description?: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Media>;
}
interface ApiOperation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly in: string }[];
  requestBody?: { content: Record<string, Media>; required?: boolean };
  responses: Record<string, ApiResponse>;
}
/** Parts of the document that several routes refer to. */
interface Components {
  readonly schemas: Record<string, unknown>;
  readonly responses: Record<string, ApiResponse>;
}

const SECONDS = { description: 'Seconds after which to try again', schema: { type: 'integer', minimum: 1 } };

const ERROR = { $ref: '#/components/schemas/ErrorAnswer' };

/** Completes a document as @fastify/swagger makes it, in place, and returns it. */
export function completeDocument<T extends { paths?: object; components?: object }>(document: T): T {
  const parts: Components = { schemas: {}, responses: {} };
  const { schemas } = parts;
  nameSchemas(ErrorAnswer, schemas);
  const paths = (document.paths ?? {}) as Record<string, Record<string, ApiOperation>>;
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const { requestBody } = operation;
      if (requestBody !== undefined) requestBody.required = !Object.values(requestBody.content).some(mayBeAbsent);
      for (const holder of [requestBody, ...Object.values(operation.responses)]) {
        for (const media of Object.values(holder?.content ?? {})) media.schema = nameSchemas(media.schema, schemas);
      }
      addExamples(operation);
      if (operation.tags?.includes('plugin') !== true) addFailures(path, method, operation, parts);
    }
  }
  document.components = { ...document.components, ...parts };
  return document;
}

/** The schema with every part that has a title replaced by a reference to `schemas`, where it is put. */
function nameSchemas(schema: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(schema)) return schema.map((part) => nameSchemas(part, schemas));
  if (typeof schema !== 'object' || schema === null) return schema;
  const parts = Object.entries(schema).map(([key, part]) => [key, nameSchemas(part, schemas)] as const);
  const { title, ...rest } = Object.fromEntries(parts);
  // A property may be called "title"; then it is no text.
  if (typeof title !== 'string') return title === undefined ? rest : { title, ...rest };
  schemas[title] = rest;
  return { $ref: `#/components/schemas/${title}` };
}

/** A body that is not there is null to its schema. */
function mayBeAbsent({ schema }: Media): boolean {
  const { anyOf = [] } = schema as { readonly anyOf?: readonly { readonly type?: unknown }[] };
  return anyOf.some(({ type }) => type === 'null');
}

function addExamples(operation: ApiOperation): void {
  const examples = EXAMPLES[operation.operationId ?? ''] ?? {};
  const { request = {}, ...answers } = examples;
  for (const media of Object.values(operation.requestBody?.content ?? {})) media.examples = named(request);
  for (const [status, byName] of Object.entries(answers)) {
    const content = operation.responses[status]?.content ?? {};
    for (const [type, media] of Object.entries(content)) {
      const fitting = Object.entries(byName).filter(([, value]) => (typeof value === 'string') === isText(type));
      const ofType = fitting.filter(([name]) => fitting.length === 1 || type.includes(name));
      media.examples = named(Object.fromEntries(ofType.length > 0 ? ofType : fitting));
    }
  }
}

function named(values: Readonly<Record<string, unknown>>): Record<string, { value: unknown }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

function isText(type: string): boolean {
  return !/^application\/(?:json|x-www-form-urlencoded)/.test(type);
}

/** What any route of that kind may answer, by status, each with an example of every code. */
function addFailures(path: string, method: string, operation: ApiOperation, parts: Components): void {
  const { responses } = operation;
  for (const [status, codes] of Map.groupBy(failuresOf(path, method, operation), (code) => ERRORS[code].http)) {
    const failure = failureOf(status, codes);
    const before = responses[status];
    const first = Object.values(before?.content ?? {})[0];
    if (before === undefined || first === undefined) {
      const name = codes.join('.');
      parts.responses[name] = failure;
      responses[status] = { $ref: `#/components/responses/${name}` };
    } else {
      const examples = { ...first.examples, ...failure.content['application/json'].examples };
      const schema = { anyOf: [first.schema, ERROR] };
      const description = `${before.description}\n\n${failure.description}`;
      responses[status] = { ...failure, description, content: { 'application/json': { schema, examples } } };
    }
  }
}

function failureOf(status: number, codes: readonly ErrorCode[]) {
  const examples = codes.map((code) => [code, { value: exampleOfError(code) }] as const);
  return {
    description: codes.map(explained).join('\n\n'),
    ...(status === 429 || status === 503 ? { headers: { 'Retry-After': SECONDS } } : {}),
    content: { 'application/json': { schema: ERROR, examples: Object.fromEntries(examples) } },
  };
}

function explained(code: ErrorCode): string {
  return `\`${code}\`: ${ERRORS[code].meaning}`;
}

function failuresOf(path: string, method: string, operation: ApiOperation): ErrorCode[] {
  const isKeyed = (operation.security ?? []).length > 0;
  const isAlwaysThere = path.endsWith('/live');
  return [
    ...(isKeyed ? (['API_KEY_MISSING', 'API_KEY_INVALID', 'FORBIDDEN', 'RATE_LIMITED', 'INTERNAL'] as const) : []),
    ...(operation.tags?.includes('peers') === true ? (['SIGNATURE_INVALID'] as const) : []),
    ...(['hello', 'feed', 'stream', 'startFeed'].includes(operation.operationId ?? '')
      ? (['NOT_ACCEPTED'] as const)
      : []),
    // A body is read wherever HTTP allows one, also where nothing is done with it.
    ...(method === 'get' ? [] : (['BODY_UNREADABLE', 'BODY_TOO_LARGE', 'MEDIA_TYPE', 'OVERLOADED'] as const)),
    ...(path.includes('{name}') ? (['PEER_UNKNOWN'] as const) : []),
    ...(path.includes('{id}') || path.endsWith('/metrics') ? (['NOT_FOUND'] as const) : []),
    'REQUEST_INVALID',
    ...(isAlwaysThere ? [] : (['STOPPING'] as const)),
    ...(isKeyed ? (['DB_UNAVAILABLE'] as const) : []),
  ];
}
