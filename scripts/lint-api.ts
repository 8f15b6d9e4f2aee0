/** `npm run check:api`: the OpenAPI document that a daemon serves, held to the rules of Redocly; examples to their schemas. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { silentLog } from '../src/runtime/logger.ts';
import { makeApp } from '../src/server/app.ts';
import type { ServerDeps } from '../src/server/deps.ts';

const nothing = async (): Promise<never> => {
  throw new Error('nothing is served here');
};

/** The document as `GET /openapi.json` answers it, without a site behind it. */
export async function apiDocument(basePath = '/'): Promise<Record<string, unknown>> {
  const deps: ServerDeps = {
    identify: () => ({ kind: 'missing' }),
    identifySigned: nothing,
    publicPath: () => basePath,
    adminConfigured: () => true,
    openMetrics: () => false,
    basePath,
    maxBodyBytes: () => 1,
    trustProxy: () => false,
    log: silentLog,
    isStopping: () => false,
    appendLog: nothing,
    health: nothing,
    hello: nothing,
    serveFeed: nothing,
    acceptStream: nothing,
    servePlugin: nothing,
    pluginDoor: { isOpen: () => true, identify: () => ({ kind: 'missing' }) },
    queryLogs: nothing,
    listPeers: nothing,
    peerDetail: nothing,
    runStream: nothing,
    pending: nothing,
    approve: nothing,
    link: nothing,
    unlink: nothing,
    metrics: nothing,
    feedControl: { start: nothing, follow: nothing, progress: nothing, stop: nothing },
    parked: { list: nothing, retry: nothing, drop: nothing },
  };
  const app = makeApp(deps);
  await app.ready();
  const document = app.swagger();
  await app.close();
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>;
}

/** What the linter has to say, one line each: rule, place, words. */
export async function lintApi(document: object): Promise<string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });
  return problems.map(
    ({ ruleId, message, location }) => `${ruleId}  ${location[0]?.pointer ?? ''}  ${message.split('\n')[0]}`,
  );
}

if (import.meta.main) {
  const document = await apiDocument();
  const problems = await lintApi(document);
  for (const problem of problems) console.error(problem);
  console.log(`openapi.json: ${Object.keys(document['paths'] ?? {}).length} addresses, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
