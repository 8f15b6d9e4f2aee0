/** A proxy that takes a prefix of the path away changes what peers sign: `http.public_path` says what it was. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendCall, signCall } from '../support/signed.ts';
import { makeWorld, signingKeyOf, type World } from '../support/world.ts';

let world: World;

beforeAll(async () => {
  const httpExtra = { cars: 'base_path: /sync/, public_path: /users/sync/', homes: 'public_path: /sync' };
  world = await makeWorld(['cars', 'homes'], { signatures: true, idle: true, httpExtra });
  await Promise.all(world.sites.map((site) => site.start({ manual: true })));
}, 90_000);
afterAll(async () => world.close());

/** What the site gets of a call that was signed for an address at its proxy. */
const status = async (to: 'cars' | 'homes', signed: string, passedOn: string): Promise<number> => {
  const from = to === 'cars' ? 'homes' : 'cars';
  const call = signCall({ from, to, key: signingKeyOf(from), target: signed });
  return (await sendCall(world.site(to).url, { ...call, target: passedOn })).status;
};

it('the path that peers call is the one that is signed', async () => {
  expect(await status('homes', '/sync/v1/hello', '/v1/hello')).toBe(200);
  expect(await status('cars', '/users/sync/v1/hello', '/sync/v1/hello')).toBe(200);
});

it('another prefix, or another route behind the same, is refused', async () => {
  expect(await status('homes', '/v1/hello', '/v1/hello')).toBe(401);
  expect(await status('homes', '/other/v1/hello', '/v1/hello')).toBe(401);
  expect(await status('cars', '/sync/v1/hello', '/sync/v1/hello')).toBe(401);
  expect(await status('cars', '/users/sync/v1/hello', '/sync/v1/feed')).toBe(401);
});
