/** Checks against the schemas of the routes: all problems at once, each with its place; nothing coerced but numbers in URLs. */
import { Compile } from 'typebox/compile';
import { Settings } from 'typebox/system';
import type { TSchema } from 'typebox';
import { SyncError } from '../model/errors.ts';

/** More problems than this are only counted. */
const MAX_PROBLEMS = 20;
/** No object of ours may have as many properties. */
const MOST_PROPERTIES = 2_000;
/** `kind` tells the branches of our unions apart. */
const OTHER_KIND = /\/anyOf\/\d+\/properties\/kind$/;

// TypeBox stops at 8 unless told otherwise, for the whole process; it concerns only what is refused anyhow.
Settings.Set({ maxErrors: 1000 });

interface SchemaProblem {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly message: string;
  readonly params: object;
}

type Properties = Readonly<Record<string, { readonly type?: string; readonly description?: string }>>;

/** What was in a URL, which may be shown again, unlike a body: that may be anybody's data. */
interface Url {
  readonly value: Readonly<Record<string, unknown>>;
  readonly properties: Properties;
}

type Checked = { readonly value: unknown } | { readonly error: SyncError };

/** For Fastify's setValidatorCompiler. A failed check is a `REQUEST_INVALID` (422) that names every problem. */
export function compileValidator(route: { schema: unknown; httpPart?: string }): (data: unknown) => Checked {
  const schema = route.schema as TSchema & { properties?: Properties };
  const { properties = {} } = schema;
  const validator = Compile(schema);
  const isUrl = route.httpPart !== 'body';
  return (data) => {
    const value = isUrl ? fromUrl(data as Record<string, unknown>, properties) : data;
    if (validator.Check(value)) return { value };
    if (isBeyondWords(value)) return { error: new SyncError('REQUEST_INVALID', 'body: has far too many properties') };
    const url = isUrl ? { value: value as Record<string, unknown>, properties } : undefined;
    return { error: new SyncError('REQUEST_INVALID', describe(validator.Errors(value), url)) };
  };
}

/** True if an object has so many properties that naming what is wrong with them would take seconds. */
function isBeyondWords(value: unknown): boolean {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== 'object' || one === null) continue;
    if (Array.isArray(one)) {
      for (const element of one) if (typeof element === 'object') open.push(element);
      continue;
    }
    const values = Object.values(one);
    if (values.length > MOST_PROPERTIES) return true;
    for (const inner of values) if (typeof inner === 'object') open.push(inner);
  }
  return false;
}

/** A parameter left empty counts as not given; whole numbers become numbers, all else stays the text it is. */
function fromUrl(data: Record<string, unknown>, properties: Properties): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(data)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (known !== undefined && given === '') continue;
    const isNumber = known?.type === 'integer' && typeof given === 'string' && /^-?\d{1,15}$/.test(given);
    Object.defineProperty(value, name, { value: isNumber ? Number(given) : given, enumerable: true });
  }
  return value;
}

function describe(all: readonly SchemaProblem[], url: Url | undefined): string {
  const texts = [...new Set(telling(all).flatMap((problem) => inWords(problem, url)))];
  const rest = texts.length - MAX_PROBLEMS;
  return texts.slice(0, MAX_PROBLEMS).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

/** Leaves out what only repeats others: branches of a union that are of another kind, and the union above a branch. */
function telling(all: readonly SchemaProblem[]): readonly SchemaProblem[] {
  const isWithin = (one: SchemaProblem, schemaPath: string, instancePath: string): boolean =>
    `${one.schemaPath}/`.startsWith(`${schemaPath}/`) && `${one.instancePath}/`.startsWith(`${instancePath}/`);
  const otherKinds = all.filter(({ keyword, schemaPath }) => keyword === 'const' && OTHER_KIND.test(schemaPath));
  const kept = all.filter(
    (one) =>
      one.keyword !== 'boolean' &&
      !otherKinds.some((other) => isWithin(one, parentOf(parentOf(other.schemaPath)), parentOf(other.instancePath))),
  );
  return kept.filter(
    (one) =>
      one.keyword !== 'anyOf' ||
      !kept.some((other) => other !== one && isWithin(other, `${one.schemaPath}/anyOf`, one.instancePath)),
  );
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

function inWords(problem: SchemaProblem, url: Url | undefined): string[] {
  const { additionalProperties, requiredProperties } = problem.params as Record<string, readonly unknown[]>;
  const place = problem.instancePath.split('/').slice(1);
  const at = (name: unknown): string => [...place, String(name)].join('.').slice(0, 200);
  if (problem.keyword === 'additionalProperties')
    return (additionalProperties ?? []).map((name) => `${at(name)}: unknown`);
  if (problem.keyword === 'required') return (requiredProperties ?? []).map((name) => `${at(name)}: missing`);
  const [name] = place;
  if (name === undefined) return [`body: ${problem.message}`];
  if (url === undefined) return [`${place.join('.')}: ${wrong(problem, undefined)}`];
  const got = JSON.stringify(url.value[name])?.slice(0, 60);
  return [`${place.join('.')}: ${wrong(problem, url.properties[name]?.description)} (got ${got})`];
}

/** Patterns are for programs: where the schema says in words what it wants, the words are told. */
function wrong({ keyword, message, params }: SchemaProblem, wanted: string | undefined): string {
  const { allowedValues } = params as { allowedValues?: readonly unknown[] };
  if (keyword === 'enum' && allowedValues !== undefined) return `must be one of ${allowedValues.join(', ')}`;
  return keyword === 'pattern' && wanted !== undefined ? `is not ${wanted}` : message;
}
