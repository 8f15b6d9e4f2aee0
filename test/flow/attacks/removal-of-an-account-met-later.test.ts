/**
 * Whoever lost an account to its owner deletes it where he is still logged in, which waits at the others. The owner has another
 * account on a third site, which does not know yet that it is the same one.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { resetByMail, setValidation, signUp, signUpAsOwner } from '../../support/validation.ts';
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

it('removes it on no site, and what the owner edits goes on', { timeout: 60_000 }, async () => {
  await signUp(open, { email: EMAIL, name: 'Mallory' });
  await drainAll(open);
  await deliverAll(open, 'homes');
  await resetByMail(homes.host, EMAIL);
  await drainAll(homes);
  await deliverAll(homes, 'open');
  await signUpAsOwner(jobs, { email: EMAIL, name: 'Owner' });
  await drainAll(jobs);
  await deliverAll(jobs, 'homes');

  await open.host.person.deleteAccount(EMAIL);
  await drainAll(open);
  await deliverAll(open, 'homes');
  await deliverAll(open, 'jobs');
  // It goes on there under another uid, by which homes hears of it; so its next record has both.
  await deliverAll(jobs, 'homes');
  await homes.host.person.editProfile(EMAIL, { website: 'https://owner.example' });
  await drainAll(homes);
  await deliverAll(homes, 'jobs');
  expect(await jobs.host.user(EMAIL)).toMatchObject({ s_website: 'https://owner.example' });
  await settleByHand(world);
  for (const one of [homes, jobs]) expect(await one.host.user(EMAIL)).toBeDefined();
});
