import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World } from '../support/world.ts';

describe('three sites', () => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(['cars', 'homes', 'jobs']);
  });
  afterAll(() => world.close());

  it('give a user that registers on one to the others', async () => {
    const { host } = world.site('cars');
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await host.person.clickValidationLink(ana);
    await world.settle();
    await eventually(async () => {
      expect(await world.differences()).toEqual([]);
      expect((await world.site('jobs').host.users()).users.size).toBe(1);
    });
  });

  it('carry every kind of change', async () => {
    const { host } = world.site('homes');
    const bob = await host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await host.person.clickValidationLink(bob);
    await host.person.editProfile(bob, { name: 'Bob B', phoneMobile: '+34 600' });
    await host.person.changePassword(bob);
    await world.settle();
    expect(await world.differences()).toEqual([]);
    const cars = world.site('cars').host;
    await cars.person.changeEmail('bob@example.com', 'robert@example.com');
    await cars.person.changeUserName('robert@example.com', 'robert');
    await cars.admin.block('ana@example.com');
    await world.settle();
    expect(await world.differences()).toEqual([]);
    await cars.person.deleteAccount('ana@example.com');
    await world.settle();
    expect(await world.differences()).toEqual([]);
    expect((await world.site('jobs').host.users()).users.size).toBe(1);
  });
});
