/** Three sites, of which one does not say in which time zone its dates are: they mean other times there than elsewhere. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scanAll, settleByHand, siteOf } from '../support/by-hand.ts';
import { makeWorld, type World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  const hosts = { homes: { timezone: 'Europe/Berlin' }, jobs: { timezone: 'Asia/Kolkata' } };
  world = await makeWorld(['cars', 'homes', 'jobs'], { manual: true, idle: true, hosts });
  await world.site('cars').host.write("DELETE FROM {preference} WHERE s_name = 'timezone'");
  for (const site of world.sites) await site.start();
  await scanAll(world);
});
afterAll(() => world.close());

it('sites that take its dates as they are, and each other’s in their own zones, agree and fall silent', async () => {
  const email = 'ana@example.com';
  await world.site('homes').host.person.register({ email, name: 'Ana', validation: false });
  await world.site('homes').host.person.editProfile(email, { phoneMobile: '+1' });
  await settleByHand(world);
  for (const to of world.sites) {
    for (const { name } of (await siteOf(to)).routes()) {
      await (await siteOf(to)).feed(name, { restart: true, once: false, dryRun: false, overwrite: false });
    }
  }
  await settleByHand(world);
  const datesOn = async (name: string): Promise<unknown> => (await world.site(name).host.user(email))?.['dt_reg_date'];
  const dates = await Promise.all(['homes', 'jobs'].map(datesOn));
  await world.site('cars').host.person.editProfile(email, { name: 'Edited' });
  await settleByHand(world);
  expect(await Promise.all(['homes', 'jobs'].map(datesOn))).toEqual(dates);
  for (const site of world.sites) expect((await site.host.user(email))?.['s_name']).toBe('Edited');
});
