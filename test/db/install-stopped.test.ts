import { describe, expect, it } from 'vitest';
import { installOnce, uninstallOnce } from '../../src/capture/install.ts';
import { inspectTriggers, triggersAreWell } from '../../src/capture/triggers.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import type { TestDatabase } from '../support/database.ts';
import { tablesOf, triggersOf, withoutCounters } from '../support/definitions.ts';
import { makeStatementStop } from '../support/statement-stop.ts';

/** Making and dropping tables takes its time: every fifth place to stop at, other ones on the other kind of server. */
const STEP = 5;
const TIMEOUT_MS = 90_000;
const firstStop = ({ serverKind }: TestDatabase): number => (serverKind === 'mysql' ? 3 : 1);

async function isWell({ site }: CapturedSite): Promise<boolean> {
  return triggersAreWell(await inspectTriggers(site.db, site.snapshot().catalog));
}

describe('an installation', () => {
  it(
    'stopped between any two statements leaves the host at work, and goes on next time',
    { timeout: TIMEOUT_MS },
    async () => {
      const stop = makeStatementStop('throw');
      const cars = await capturedSite({ onStatement: stop.onStatement, install: false });
      const { site, database, host } = cars;
      const { catalog } = site.snapshot();
      stop.arm(0);
      await installOnce(site.db, catalog);
      const statements = stop.count();
      const clean = [await tablesOf(database), await triggersOf(database)];
      expect(statements).toBeGreaterThan(25);
      for (let at = firstStop(database); at < statements; at += STEP) {
        await uninstallOnce(site.db, catalog);
        stop.arm(at);
        const outcome = await installOnce(site.db, catalog).catch((error: unknown) => error);
        expect(outcome).toBeInstanceOf(Error);
        stop.arm(0);
        const ana = await host.person.register({ email: `ana${at}@example.com`, name: 'Ana' });
        await host.person.deleteAccount(ana);
        await installOnce(site.db, catalog);
        expect(await isWell(cars)).toBe(true);
        expect((await triggersOf(database)).length).toBe(10);
      }
      await uninstallOnce(site.db, catalog);
      await installOnce(site.db, catalog);
      expect(withoutCounters([await tablesOf(database), await triggersOf(database)])).toEqual(withoutCounters(clean));
    },
  );

  it('whose connections are killed leaves the host at work, and goes on next time', async () => {
    const cars = await capturedSite({ install: false });
    const { site, database, host } = cars;
    const { catalog } = site.snapshot();
    const killer = await database.connection();
    const [root] = await database.query<{ id: string }>('SELECT CONNECTION_ID() AS id');
    for (const at of [16, 19, 28, 33, 35, 37, 39]) {
      const stop = makeStatementStop({ killer, spare: [host.db.threadId, Number(root?.id)] });
      const interrupted = await cars.again({ onStatement: stop.onStatement });
      stop.arm(at);
      await installOnce(interrupted.db, catalog).catch(() => undefined);
      const ana = await host.person.register({ email: `ana${at}@example.com`, name: 'Ana' });
      await host.person.deleteAccount(ana);
      await installOnce(interrupted.db, catalog);
      expect(await isWell(cars)).toBe(true);
      await uninstallOnce(interrupted.db, catalog);
      expect(await triggersOf(database)).toEqual([]);
    }
    await killer.end();
  });
});

it(
  'uninstall stopped between any two statements leaves the host at work, and can be repeated',
  { timeout: TIMEOUT_MS },
  async () => {
    const stop = makeStatementStop('throw');
    const { site, database, host } = await capturedSite({ onStatement: stop.onStatement, install: false });
    const { catalog } = site.snapshot();
    const before = withoutCounters([await tablesOf(database), await triggersOf(database)]);
    for (let at = firstStop(database), isEnd = false; !isEnd; at += STEP) {
      stop.arm(0);
      await installOnce(site.db, catalog);
      stop.arm(at);
      const outcome = await uninstallOnce(site.db, catalog).catch((error: unknown) => error);
      isEnd = !(outcome instanceof Error);
      stop.arm(0);
      const ana = await host.person.register({ email: `ana${at}@example.com`, name: 'Ana' });
      await host.person.deleteAccount(ana);
      await uninstallOnce(site.db, catalog);
      expect(withoutCounters([await tablesOf(database), await triggersOf(database)])).toEqual(before);
    }
  },
);
