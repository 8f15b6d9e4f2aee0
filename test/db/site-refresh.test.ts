/** Looks at the host that overlap: what was seen last stays, not what was read last. */
import { expect, it } from 'vitest';
import { capturedSite } from '../support/captured-site.ts';

it('a look at the host that began earlier and ends later does not bring back what was seen before', async () => {
  let hold: Promise<void> | undefined;
  let arrived: (() => void) | undefined;
  const { site, database } = await capturedSite({
    async onStatement(statement) {
      const holding = hold;
      if (holding === undefined || !statement.includes('t_locale')) return;
      hold = undefined;
      arrived?.();
      await holding;
    },
  });
  await site.refresh();
  const hasColumn = (): boolean => site.snapshot().catalog.requireTable('t_user').column('s_plugin_note') !== undefined;
  const isHeld = new Promise<void>((resolve) => (arrived = resolve));
  let letGo: () => void = () => undefined;
  hold = new Promise((resolve) => (letGo = resolve));
  const slow = site.refresh();
  await isHeld;
  await database.query('ALTER TABLE oc_t_user ADD COLUMN s_plugin_note VARCHAR(20) NULL');
  await site.refresh();
  expect(hasColumn()).toBe(true);
  letGo();
  await slow;
  expect(hasColumn()).toBe(true);
});
