/** Holds what a daemon really answers to the OpenAPI document it serves: status, content type, and every property. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** An answer as it was received. */
export interface Exchange {
  readonly method: string;
  /** With the query string. */
  readonly url: string;
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** The parts of a document that are looked at. */
export interface ApiDocument {
  readonly paths: Record<string, Record<string, { operationId: string; responses: Record<string, Answer> }>>;
  readonly components: { readonly responses: Record<string, Answer>; readonly schemas: Record<string, unknown> };
}
interface Answer {
  readonly $ref?: string;
  readonly content?: Record<string, unknown>;
}

/** A document to hold answers to. */
export interface Contract {
  /** Name of the operation that was called; undefined for an address that the document does not know. */
  operationOf(exchange: Exchange): string | undefined;
  /** What the document does not allow; empty if all is well. */
  problems(exchange: Exchange): string[];
}

/** Properties that the document does not name count as problems too. */
export function makeContract(document: ApiDocument): Contract {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const { schemas, ...parts } = document.components;
  // Named schemas are closed where they are referred to: in an intersection they are only a part.
  const named = Object.entries(schemas).map(([name, schema]) => [name, closed(schema, true)] as const);
  const components = { ...(closed(parts) as object), schemas: Object.fromEntries(named) };
  ajv.addSchema({ paths: closed(document.paths), components }, 'api');
  const compiled = new Map<string, ValidateFunction>();
  const validatorAt = (place: string): ValidateFunction => {
    const known = compiled.get(place) ?? ajv.compile({ $ref: `api#${place}` });
    compiled.set(place, known);
    return known;
  };
  const find = ({ method, url }: Exchange) => {
    const path = url.split('?', 1)[0] ?? '';
    const template = Object.keys(document.paths).find((each) => matches(each, path));
    const operation = template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
    return { template, operation };
  };
  return {
    operationOf: (exchange) => find(exchange).operation?.operationId,
    problems(exchange) {
      const { template, operation } = find(exchange);
      const { method, url, status, type, body } = exchange;
      const at = `${method} ${url.slice(0, 200)} ${status}`;
      const isError = validatorAt('/components/schemas/ErrorAnswer')(parsed(body));
      // Where no route was come to, as the description of the document says.
      if (isError && [400, 408, 431].includes(status) && body.includes('"REQUEST_INVALID"')) return [];
      if (template === undefined || operation === undefined) {
        return status === 404 && isError ? [] : [`${at}: not in the document: ${body.slice(0, 200)}`];
      }
      const key = [String(status), `${Math.floor(status / 100)}XX`].find((each) => operation.responses[each]);
      if (key === undefined) return [`${at}: no such status in the document: ${body.slice(0, 200)}`];
      const { $ref } = operation.responses[key] as Answer;
      const place = $ref?.slice(1) ?? pointer('paths', template, method.toLowerCase(), 'responses', key);
      const answer =
        $ref === undefined ? operation.responses[key] : document.components.responses[$ref.split('/')[3] ?? ''];
      const mime = type.split(';', 1)[0] ?? '';
      if (answer?.content?.[mime] === undefined) return [`${at}: no content type ${mime} in the document`];
      const check = validatorAt(`${place}${pointer('content', mime, 'schema')}`);
      if (check(mime === 'application/json' ? parsed(body) : body)) return [];
      return (check.errors ?? []).map(
        (error) => `${at}: ${error.instancePath} ${error.message} in ${body.slice(0, 300)}`,
      );
    },
  };
}

function matches(template: string, path: string): boolean {
  const wanted = template.split('/');
  const given = path.split('/');
  return wanted.length === given.length && wanted.every((part, n) => part.startsWith('{') || part === given[n]);
}

function pointer(...parts: string[]): string {
  return parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Every schema of an object takes no other properties than those named; parts of an intersection do so together. */
function closed(part: unknown, isPartOfWhole = false): unknown {
  if (Array.isArray(part)) return part.map((one) => closed(one));
  if (typeof part !== 'object' || part === null) return part;
  const { allOf, ...rest } = part as Record<string, unknown>;
  const inside = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, closed(value)]));
  const all = Array.isArray(allOf) ? { allOf: allOf.map((one) => closed(one, true)) } : {};
  const isObject = 'properties' in inside || '$ref' in inside || Array.isArray(allOf);
  const isOpen = 'additionalProperties' in inside || isPartOfWhole || !isObject;
  return { ...inside, ...all, ...(isOpen ? {} : { unevaluatedProperties: false }) };
}
