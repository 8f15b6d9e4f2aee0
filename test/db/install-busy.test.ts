import { describe, expect, it } from 'vitest';
import { installOnce, uninstallOnce } from '../../src/capture/install.ts';
import { checkTriggersOnce } from '../../src/capture/trigger-health.ts';
import { capturedSite } from '../support/captured-site.ts';
import { triggersOf } from '../support/definitions.ts';
import { keepWriting } from '../support/writer.ts';
import { OWN } from '../support/own-tables.ts';

const patience = { tries: 3, pauseMs: 200 };
/** No statement of the host may be delayed for longer (a second, and the statement itself). */
const LIMIT_MS = 1200;

describe('a transaction of the host that stays open on t_user', () => {
  it('T3: makes an installation give up as TABLE_BUSY, leave nothing, and freeze nobody for long', async () => {
    const { host, site, database } = await capturedSite({
      install: false,
      before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1 }),
    });
    const open = await host.again();
    await open.db.query('START TRANSACTION');
    await open.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 20', ['x']);
    const writer = keepWriting(await host.again(), 10);
    const reader = keepWriting(await host.again(), 0);
    await expect(installOnce(site.db, site.snapshot().catalog, { patience })).rejects.toMatchObject({
      code: 'TABLE_BUSY',
    });
    for (const { slowestMs, count } of [await writer.stop(), await reader.stop()]) {
      expect(count).toBeGreaterThan(3);
      expect(slowestMs).toBeLessThan(LIMIT_MS);
    }
    expect(await triggersOf(database)).toEqual([]);
    expect(await database.query("SHOW TABLES LIKE 'oc\\_account\\_sync%'")).toEqual([]);
    await open.db.query('COMMIT');
    await open.close();
    expect(await installOnce(site.db, site.snapshot().catalog)).toMatchObject({ triggers: 9 });
  });

  it('is waited for, if it ends in time', async () => {
    const { host, site } = await capturedSite({
      install: false,
      before: (empty) => empty.seed.users({ seed: 6, count: 20 }),
    });
    const open = await host.again();
    await open.db.query('START TRANSACTION');
    await open.select('SELECT * FROM {user} LIMIT 1');
    const installing = installOnce(site.db, site.snapshot().catalog, { patience: { tries: 20, pauseMs: 50 } });
    await new Promise((resolve) => {
      setTimeout(resolve, 1300);
    });
    await open.db.query('COMMIT');
    await open.close();
    expect(await installing).toMatchObject({ triggers: 9 });
  });

  it('leaves the triggers that are there at work', async () => {
    const cars = await capturedSite({ before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1 }) });
    const { host, site, database } = cars;
    const ours = (): Promise<unknown> => checkTriggersOnce(site.db, site.snapshot().catalog, { patience });
    await database.query("SET SESSION sql_mode = ''");
    await database.query('DROP TRIGGER oc_account_sync_user_au_1');
    await database.query(`CREATE TRIGGER oc_account_sync_user_au_1 AFTER UPDATE ON oc_t_user FOR EACH ROW
      INSERT INTO ${OWN.queue} (user_id, op) VALUES (NEW.pk_i_id, 'U')`);
    const before = await triggersOf(database);
    const open = await host.again();
    await open.db.query('START TRANSACTION');
    await open.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 20', ['x']);
    await expect(ours()).rejects.toMatchObject({ code: 'TABLE_BUSY' });
    expect(await triggersOf(database)).toEqual(before);
    await expect(uninstallOnce(site.db, site.snapshot().catalog, { patience })).rejects.toMatchObject({
      code: 'TABLE_BUSY',
    });
    await host.person.viewPage(3);
    expect(await cars.markers()).toHaveLength(1);
    await open.db.query('COMMIT');
    await open.close();
    expect(await ours()).toMatchObject({ kind: 'renewed' });
  });
});
