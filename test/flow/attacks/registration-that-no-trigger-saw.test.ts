/** A site validated addresses when it was installed, and does not any more; nothing tells of a registration there but the look at all users. */
import { afterEach, expect, it } from 'vitest';
import { victimOn } from '../../support/attack-stage.ts';
import { scanAll, settleByHand } from '../../support/by-hand.ts';
import { setValidation, signUp } from '../../support/validation.ts';
import { makeWorld, type World } from '../../support/world.ts';

const EMAIL = 'victim@example.com';

let world: World;
afterEach(() => world.close());

it.each(['scan', 'triggers', 'lost'])('does not count as one of before: %s', { timeout: 60_000 }, async (mode) => {
  world = await makeWorld(['homes', 'cars'], {
    manual: true,
    idle: true,
    extra: { cars: mode === 'scan' ? 'capture: { mode: scan }' : '' },
  });
  const [homes, cars] = [world.site('homes'), world.site('cars')];
  for (const one of world.sites) await setValidation(one.host, true);
  await victimOn(homes.host, EMAIL);
  for (const one of world.sites) await one.start();
  await scanAll(world);
  await settleByHand(world);
  const owners = (await homes.host.user(EMAIL))?.s_password;
  await setValidation(cars.host, false);
  await settleByHand(world);
  if (mode === 'lost') {
    const triggers = await cars.db.query<{ name: string }>(
      'SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()',
    );
    for (const { name } of triggers) await cars.db.query(`DROP TRIGGER \`${name}\``);
  }
  await signUp(cars, { email: EMAIL, name: 'Mallory' });
  if (mode !== 'triggers') {
    await cars.db.query("REPLACE INTO oc_account_sync_state (name, value) VALUES ('rescan_wanted', 'x')");
    await scanAll(world);
  }
  await settleByHand(world);
  expect((await homes.host.user(EMAIL))?.s_password).toBe(owners);
});
