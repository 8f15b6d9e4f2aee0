/** One exchange has one trace: what one site sent and what the other did with it can be laid side by side. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { drainAll, deliverAll, scanAll } from '../support/by-hand.ts';
import { configOf, makeCli } from '../support/cli.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { manual: true });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  await scanAll(world);
  for (const name of ['ana', 'bob']) {
    await cars.host.person.register({ email: `${name}@example.com`, name, validation: false });
  }
  await drainAll(cars);
});
afterAll(() => world.close());

const traced = async (site: WorldSite, trace: unknown): Promise<string[]> => {
  const { logs = [] } = (await site.admin('GET', `/v1/logs?trace=${String(trace)}`)).body;
  return logs.map(({ type, peer, status }) => [type, peer, status].join(' ')).toSorted();
};
const newest = async (site: WorldSite, type: string): Promise<unknown> =>
  (await site.admin('GET', `/v1/logs?type=${type}&limit=1`)).body.logs?.[0]?.['trace'];

test('of a stream', async () => {
  await deliverAll(cars);
  const trace = await newest(cars, 'STREAM');
  expect(await traced(cars, trace)).toEqual(['STREAM homes 200', 'STREAM homes 200']);
  expect(await traced(homes, trace)).toEqual(['FEED cars 200', 'PROCESS cars OK', 'PROCESS cars OK']);
});

test('on the command line', async () => {
  const trace = String(await newest(homes, 'PROCESS'));
  const cli = makeCli(configOf(homes, [cars]));
  const { code, out } = await cli.run('logs', '--trace', trace, '--type', 'PROCESS');
  cli.close();
  expect(code).toBe(0);
  expect(out.trim().split('\n')).toHaveLength(2);
});

test('of a page of a feed', async () => {
  const { site } = await homes.open();
  await site.feed('cars', { restart: true, once: true, dryRun: false, overwrite: false });
  const trace = await newest(homes, 'FEED');
  expect(await traced(cars, trace)).toEqual(['STREAM homes 200']);
  expect(await traced(homes, trace)).toContain('FEED cars 200');
});
