import { expect, test } from 'vitest';
import { apiDocument, lintApi } from '../../scripts/lint-api.ts';
import { ERRORS } from '../../src/model/errors.ts';

interface Media {
  readonly schema?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}
interface Answer {
  readonly $ref?: string;
  readonly description?: string;
  readonly headers?: object;
  readonly content?: Record<string, Media>;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly schema?: unknown }[];
  readonly requestBody?: { readonly content: Record<string, Media>; readonly required?: boolean };
  readonly responses: Record<string, Answer>;
}

const document = (await apiDocument()) as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; responses: Record<string, Answer> };
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
);
const answersOf = ({ responses }: Operation): (readonly [string, Answer])[] =>
  Object.entries(responses).map(([status, answer]) => [
    status,
    answer.$ref === undefined ? answer : (document.components.responses[answer.$ref.split('/').pop() ?? ''] as Answer),
  ]);

test('every route is in the document', () => {
  expect(operations.map(({ name }) => name).toSorted()).toEqual([
    'DELETE /v1/parked/{id}',
    'DELETE /v1/peers/{name}/feed',
    'GET /health',
    'GET /health/live',
    'GET /health/ready',
    'GET /metrics',
    'GET /openapi.json',
    'GET /v1/feed',
    'GET /v1/hello',
    'GET /v1/logs',
    'GET /v1/parked',
    'GET /v1/peers',
    'GET /v1/peers/{name}',
    'GET /v1/peers/{name}/feed',
    'GET /v1/pending',
    'POST /',
    'POST /index.php',
    'POST /v1/link',
    'POST /v1/parked/{id}/retry',
    'POST /v1/peers/{name}/approve',
    'POST /v1/peers/{name}/feed',
    'POST /v1/stream',
    'POST /v1/stream/run',
    'POST /v1/unlink',
  ]);
});

test.each(operations)('$name is described, with an example of every answer', ({ operation }) => {
  expect([operation.operationId, operation.summary, operation.security]).not.toContain(undefined);
  for (const [status, answer] of answersOf(operation)) {
    expect([status, answer.description]).not.toContain('Default Response');
    for (const [type, media] of Object.entries(answer.content ?? {})) {
      if (/^[45]XX$/.test(status)) continue;
      expect([status, type, Object.keys(media.examples ?? {}).length > 0 || status === '404']).toEqual([
        status,
        type,
        true,
      ]);
    }
  }
  const bodies = Object.values(operation.requestBody?.content ?? {});
  expect(bodies.filter(({ examples = {} }) => Object.keys(examples).length === 0)).toEqual([]);
});

test('a route that asks for a key tells all that comes of a wrong one, and when to try again', () => {
  const keyed = operations.filter(({ name, operation }) => operation.security?.length !== 0 && name.includes('/v1/'));
  expect(keyed).toHaveLength(17);
  for (const { name, operation } of keyed) {
    const answers = new Map(answersOf(operation));
    expect([name, ['401', '403', '422', '429', '500', '503'].filter((status) => !answers.has(status))]).toEqual([
      name,
      [],
    ]);
    for (const status of ['429', '503']) expect(answers.get(status)?.headers).toHaveProperty('Retry-After');
  }
});

test('a body is asked for where there is no doing without', () => {
  const required = operations.filter(({ operation }) => operation.requestBody?.required === true);
  expect(required.map(({ name }) => name)).toEqual([
    'POST /v1/stream',
    'POST /v1/link',
    'POST /v1/unlink',
    'POST /',
    'POST /index.php',
  ]);
});

test('examples of failures have the status and the words of the registry', () => {
  for (const answer of Object.values(document.components.responses)) {
    const examples = Object.entries(answer.content?.['application/json']?.examples ?? {});
    expect(examples.length).toBeGreaterThan(0);
    for (const [code, { value }] of examples) {
      expect(Object.keys(ERRORS)).toContain(code);
      expect(value).toMatchObject({ status: 'ERR', code });
    }
  }
});

test('schemas have names, so that a generated client has types with names', () => {
  expect(Object.keys(document.components.schemas)).toEqual(
    expect.arrayContaining(['ErrorAnswer', 'FeedPage', 'Health', 'Hello', 'LogPage', 'LogRecord', 'PeerDetail']),
  );
  expect(JSON.stringify(document)).not.toContain('"title":"LogPage"');
});

test('behind a path of the proxy the server is that path, and the addresses stay', async () => {
  const behind = await apiDocument('/account-sync/');
  expect(behind['servers']).toEqual([{ url: '/account-sync', description: 'This daemon' }]);
  expect(Object.keys(behind['paths'] as object)).toEqual(Object.keys(document.paths));
});

test('the linter is content, and finds an example that does not fit its schema', async () => {
  expect(await lintApi(document)).toEqual([]);
  const wrong = structuredClone(document);
  const media = wrong.paths['/v1/hello']?.['get']?.responses['200']?.content?.['application/json'];
  const example = media?.examples?.['hello'] as { value: Record<string, unknown> };
  example.value['receive'] = 'yes';
  expect(await lintApi(wrong)).toEqual([expect.stringContaining('no-invalid-media-type-examples')]);
});
