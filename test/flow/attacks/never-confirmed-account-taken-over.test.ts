/**
 * Somebody registers an address and never confirms it. The owner takes the copy of that over by mail on one site, and on the site
 * itself it gives way to an account that he has on a third: where the two meet, it must not deactivate that.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { victimOn } from '../../support/attack-stage.ts';
import { deliverAll, drainAll, scanAll, settleByHand } from '../../support/by-hand.ts';
import { resetByMail, setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAILS = ['first@example.com', 'second@example.com'];

let world: World;
beforeAll(async () => {
  world = await makeWorld(['homes', 'cars', 'jobs'], { manual: true, idle: true });
  for (const one of world.sites) await setValidation(one.host, true);
  for (const email of EMAILS) await victimOn(world.site('jobs').host, email);
  for (const one of world.sites) await one.start();
  await scanAll(world);
}, 60_000);
afterAll(() => world.close());

it.each([
  [EMAILS[0] as string, 'homes'],
  [EMAILS[1] as string, 'cars'],
])('%s, where %s speaks first', { timeout: 60_000 }, async (email, first) => {
  const [homes, cars, jobs] = [world.site('homes'), world.site('cars'), world.site('jobs')];
  await signUp(cars, { email, name: 'Mallory' });
  await drainAll(cars);
  await deliverAll(cars, 'homes');
  expect(await homes.host.user(email)).toMatchObject({ b_active: 0 });
  const owners = await resetByMail(homes.host, email);
  await jobs.host.person.editProfile(email, { website: 'https://owner.example' });
  await drainAll(jobs);
  await deliverAll(jobs, 'cars');
  expect(await cars.host.user(email)).toMatchObject({ b_active: 1 });
  for (const one of [homes, cars]) await drainAll(one);
  if (first === 'homes') await deliverAll(homes, 'cars');
  else await deliverAll(cars, 'homes');
  expect(await cars.host.user(email)).toMatchObject({ b_active: 1 });
  await settleByHand(world);
  for (const { host } of world.sites)
    expect(await host.user(email)).toMatchObject({
      b_active: 1,
      s_password: owners,
      s_website: 'https://owner.example',
    });
});
