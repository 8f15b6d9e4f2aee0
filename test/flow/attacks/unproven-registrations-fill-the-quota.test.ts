/**
 * Users of one site register address after address that somebody has on the other, and confirm none: each waits there. However many
 * they are, the others are not kept waiting, nothing of them is forgotten, and what is stored of them has an end.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { letTimePass, scanAll, settleByHand } from '../../support/by-hand.ts';
import { resetByMail, setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World, type WorldSite } from '../../support/world.ts';

/** Fewer than there are victims, and less than is to be kept of them. */
const [ROWS, SIZE] = [5, 4096];
const VICTIMS = Array.from({ length: 8 }, (_, n) => `victim${n}@example.com`);
let world: World;
let homes: WorldSite;
let cars: WorldSite;
beforeAll(async () => {
  world = await makeWorld(['homes', 'cars'], {
    manual: true,
    idle: true,
    extra: { homes: `quotas: { parked_rows: ${ROWS}, parked_size: ${SIZE / 1024}KiB }` },
  });
  [homes, cars] = [world.site('homes'), world.site('cars')];
  // Neither site validates: nobody has proved anything.
  for (const one of world.sites) await setValidation(one.host, false);
  await signUp(cars, { email: 'honest@example.com', name: 'Honest' });
  for (const email of VICTIMS) await signUp(homes, { email, name: 'Victim' });
  for (const one of world.sites) await one.start();
  await scanAll(world);
  const { site } = await homes.open();
  await site.feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
}, 60_000);
afterAll(() => world.close());

/** Those of which more is kept than who it is are within the quota, and there are both. */
function expectWithinQuota(rows: Awaited<ReturnType<typeof waiting>>): void {
  const whole = rows.filter(({ values }) => values > 0);
  expect(whole.length).toBeGreaterThan(0);
  expect(whole.length).toBeLessThan(rows.length);
  expect(whole.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(SIZE);
}

/** What waits at homes, in the order in which it came. */
async function waiting(): Promise<{ email: string; values: number; bytes: number }[]> {
  const rows = await homes.db.query<{ code: string; record: Buffer | string }>(
    'SELECT code, record FROM oc_account_sync_parked ORDER BY id',
  );
  return rows.map(({ code, record }) => {
    expect(code).toBe('EMAIL_UNPROVEN');
    const { email, registers } = JSON.parse(String(record)) as { email: string; registers: object };
    return { email, values: Object.keys(registers).length, bytes: String(record).length };
  });
}

it('holds nobody else up; of those beyond the quota only the identity is kept', async () => {
  for (const email of VICTIMS) await signUp(cars, { email, name: 'Mallory' });
  await settleByHand(world);
  await cars.host.person.editProfile('honest@example.com', { website: 'https://honest.example' });
  await settleByHand(world);
  expect(await homes.host.user('honest@example.com')).toMatchObject({ s_website: 'https://honest.example' });
  const rows = await waiting();
  expect(rows.map(({ email }) => email).toSorted()).toEqual(VICTIMS);
  expectWithinQuota(rows);
  for (const email of VICTIMS) expect(await homes.host.user(email)).toMatchObject({ s_name: 'Victim' });
});

it('nor does it stop a feed', async () => {
  const { site } = await homes.open();
  const sums = await site.feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
  expect(sums).toMatchObject({ unproven: VICTIMS.length });
  expectWithinQuota(await waiting());
});

it('the owner who proves the address there comes through in full', async () => {
  const email = (await waiting()).find(({ values }) => values === 0)?.email as string;
  await letTimePass(cars);
  const hash = await resetByMail(cars.host, email);
  await settleByHand(world);
  expect(await homes.host.user(email)).toMatchObject({ s_password: hash });
  expect((await waiting()).map((row) => row.email)).not.toContain(email);
});

it('a person who says that they are one has both merged, by time', async () => {
  const email = (await waiting()).find(({ values }) => values === 0)?.email as string;
  await letTimePass(cars);
  await cars.host.person.editProfile(email, { website: 'https://later.example' });
  await settleByHand(world);
  expect(await homes.host.user(email)).toMatchObject({ s_website: '' });
  const linked = await homes.admin('POST', '/v1/link', { email, peer: 'cars' });
  expect(linked).toMatchObject({ status: 200, body: { result: 'linked' } });
  await settleByHand(world);
  expect(await homes.host.user(email)).toMatchObject({ s_website: 'https://later.example' });
});

it('makes no empty account where the address becomes free: it comes whole', async () => {
  const email = (await waiting()).find(({ values }) => values === 0)?.email as string;
  await homes.host.person.deleteAccount(email);
  const { site } = await homes.open();
  await site.drain();
  await letTimePass(homes);
  await site.retryParked();
  expect(await homes.host.user(email)).toBeUndefined();
  await settleByHand(world);
  const there = await cars.host.user(email);
  expect(await homes.host.user(email)).toMatchObject({ s_name: 'Mallory', s_password: there?.s_password });
  expect((await waiting()).map((row) => row.email)).not.toContain(email);
});
