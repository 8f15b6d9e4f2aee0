/**
 * Whoever lost an account to its owner deletes it where he is still logged in, which waits at the others; then a site that knows
 * of the removal hears of the account again, and answers that it was removed.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { resetByMail, setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
let homes: WorldSite;
let open: WorldSite;
let jobs: WorldSite;
beforeAll(async () => {
  world = await makeWorld(['homes', 'open', 'jobs'], { manual: true, idle: true });
  [homes, open, jobs] = [world.site('homes'), world.site('open'), world.site('jobs')];
  for (const one of world.sites) await setValidation(one.host, one !== open);
  for (const one of world.sites) await one.start();
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());

it('as one does that never had the account', { timeout: 60_000 }, async () => {
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await drainAll(open);
  await deliverAll(open, 'homes');
  const owners = await resetByMail(homes.host, EMAIL);
  await drainAll(homes);
  await deliverAll(homes, 'open');
  expect(await open.host.user(EMAIL)).toMatchObject({ s_password: owners });
  await open.host.person.deleteAccount(EMAIL);
  await drainAll(open);
  await deliverAll(open, 'jobs');
  await homes.host.person.editProfile(EMAIL, { website: 'https://owner.example' });
  await drainAll(homes);
  await deliverAll(homes, 'jobs');
  await deliverAll(jobs, 'homes');
  expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
  await settleByHand(world);
  expect(await homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
});
