import { describe, expect, it } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { checkTriggersOnce } from '../../src/capture/trigger-health.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { OWN } from '../support/own-tables.ts';

/** Twenty users, and nothing waits. */
async function settled(): Promise<CapturedSite> {
  return capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
  });
}

const MISSED = 'UPDATE {user} SET s_name = ? WHERE pk_i_id = 3';

describe('a queue that is gone', () => {
  it('is made again by a daemon that meets it, and what went unmarked is found', async () => {
    const cars = await settled();
    const { site, host } = cars;
    await cars.database.query(`RENAME TABLE ${OWN.queue} TO somewhere_else`);
    await host.write(MISSED, ['Unmarked']);
    await expect(site.drain()).rejects.toMatchObject({
      code: 'HOST_CHANGED',
      message: /was missing; it was made again/,
    });
    expect(await site.isScanPending()).toBe(true);
    expect(await cars.scanAll()).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 3']);
    await host.person.viewPage(4);
    expect(await cars.markers()).toHaveLength(1);
  });

  it('is made again by an installation too', async () => {
    const cars = await settled();
    await cars.database.query(`DROP TABLE ${OWN.queue}`);
    await cars.host.write(MISSED, ['Unmarked']);
    await installOnce(cars.site.db, cars.site.snapshot().catalog);
    expect(await cars.scanAll()).toBe(1);
  });

  it('is left to a person who can repair it where it is only broken, and made again once it was dropped', async () => {
    const cars = await settled();
    const { site, host, database } = cars;
    await database.query(`ALTER TABLE ${OWN.queue} DISCARD TABLESPACE`);
    await expect(site.drain()).rejects.toMatchObject({ code: 'DB_ERROR', message: /Repair it, or drop it/ });
    // MySQL would refuse this as long as there are triggers.
    await host.write(MISSED, ['Unmarked']);
    await database.query(`DROP TABLE ${OWN.queue}`);
    await expect(site.drain()).rejects.toMatchObject({ code: 'HOST_CHANGED' });
    expect(await checkTriggersOnce(site.db, site.snapshot().catalog)).toMatchObject({ kind: 'lost' });
    expect(await cars.scanAll()).toBe(1);
    await host.person.viewPage(4);
    expect(await cars.markers()).toHaveLength(1);
  });
});
