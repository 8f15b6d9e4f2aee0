import { expect, it } from 'vitest';
import { makeQueueWatch, type QueueWatch } from '../../src/capture/queue-health.ts';
import { RIGHTS } from '../../src/capture/rights.ts';
import { toSyncError } from '../../src/db/failures.ts';
import { SyncError } from '../../src/model/errors.ts';
import type { Site } from '../../src/site/site.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { createAccount } from '../support/database.ts';
import { OWN } from '../support/own-tables.ts';

const watchOf = ({ db, snapshot }: Site): QueueWatch => makeQueueWatch({ db, catalog: () => snapshot().catalog });

interface Stripped extends CapturedSite {
  /** Gives the account of the daemon rights on the database, or takes them. */
  readonly rights: (act: 'GRANT' | 'REVOKE', what: string) => Promise<void>;
}

/** Twenty users, and nothing waits. */
async function settled(): Promise<Stripped> {
  let account = '';
  const cars = await capturedSite({
    peers: ['homes'],
    before: (empty) => empty.seed.users({ seed: 6, count: 20, firstId: 1, allActive: true }),
    async account(database) {
      const login = await createAccount(database, [RIGHTS.join(', ')]);
      account = login.user;
      return login;
    },
  });
  const { name } = cars.database;
  return {
    ...cars,
    async rights(act, what) {
      await cars.database.query(`${act} ${what} ON \`${name}\`.* ${act === 'GRANT' ? 'TO' : 'FROM'} ?@'%'`, [account]);
    },
  };
}

it('a queue that takes markers is well, and nothing is left in it', async () => {
  const { site, ...cars } = await settled();
  expect(await watchOf(site).look(false)).toBeUndefined();
  expect(await watchOf(site).look(true)).toBeUndefined();
  expect(await cars.markers()).toEqual([]);
  expect(await site.isScanPending()).toBe(false);
});

it('a queue that is full is noticed by a marker that is put in and taken back', async () => {
  const cars = await settled();
  const { site, database } = cars;
  await database.query(`ALTER TABLE ${OWN.queue} MODIFY seq TINYINT UNSIGNED NOT NULL AUTO_INCREMENT`);
  await database.query(`ALTER TABLE ${OWN.queue} AUTO_INCREMENT = 255`);
  await cars.host.person.viewPage(1);
  await cars.host.person.viewPage(2);
  const watch = watchOf(site);
  expect(await watch.look(true)).toMatchObject({ code: 'DB_ERROR' });
  expect(await site.isScanPending()).toBe(true);
});

const WRITE = 'INSERT, UPDATE, DELETE';
const MISSED = 'UPDATE {user} SET s_name = ? WHERE pk_i_id = 3';

it('an account that may not write is noticed though its connections may, and what went unmarked is found afterwards', async () => {
  const { site, host, rights, ...cars } = await settled();
  const watch = watchOf(site);
  expect(await watch.look(false)).toBeUndefined();
  await rights('REVOKE', WRITE);
  await host.write(MISSED, ['Unmarked']);
  expect(await cars.markers()).toEqual([]);
  expect(await watch.look(false)).toMatchObject({ code: 'DB_MISSING_RIGHT' });
  await rights('GRANT', WRITE);
  expect(await watch.look(false)).toBeUndefined();
  expect(await cars.scanAll()).toBe(1);
  expect(await cars.outbox()).toEqual(['homes user 3']);
  await host.person.viewPage(4);
  expect(await cars.markers()).toHaveLength(1);
  expect(await watch.look(false)).toBeUndefined();
  expect(await site.isScanPending()).toBe(false);
});

it('an account that has lost all its rights is noticed too', async () => {
  const { site, host, rights, ...cars } = await settled();
  const watch = watchOf(site);
  await rights('REVOKE', WRITE);
  await host.write(MISSED, ['Unmarked']);
  await rights('REVOKE', 'ALL');
  expect(await watch.look(false)).toMatchObject({ code: 'DB_ACCESS_DENIED' });
  await rights('GRANT', RIGHTS.join(', '));
  expect(await watch.look(true)).toBeUndefined();
  expect(await cars.scanAll()).toBe(1);
});

it('the right by which triggers run is looked for, and what it means for the site is said', async () => {
  const { site, rights } = await settled();
  const watch = watchOf(site);
  await rights('REVOKE', 'TRIGGER');
  expect(await watch.look(false)).toMatchObject({ code: 'DB_MISSING_RIGHT', message: /lacks TRIGGER.*uninstall/ });
  expect(await watch.look(true)).toMatchObject({ code: 'DB_MISSING_RIGHT' });
  await rights('GRANT', 'TRIGGER');
  expect(await watch.look(true)).toBeUndefined();
});

it('a daemon that is started again remembers that markers were lost', async () => {
  const { site, host, database, again, ...cars } = await settled();
  await database.query(`ALTER TABLE ${OWN.queue} MODIFY seq TINYINT UNSIGNED NOT NULL AUTO_INCREMENT`);
  await database.query(`ALTER TABLE ${OWN.queue} AUTO_INCREMENT = 255`);
  await host.person.viewPage(1);
  expect(await watchOf(site).look(true)).toMatchObject({ code: 'DB_ERROR' });
  await cars.scanAll();
  await host.write(MISSED, ['Unmarked']);
  await database.query(`ALTER TABLE ${OWN.queue} MODIFY seq BIGINT UNSIGNED NOT NULL AUTO_INCREMENT`);
  expect(await watchOf(await again()).look(false)).toBeUndefined();
  expect(await cars.scanAll()).toBe(1);
  expect(await watchOf(await again()).look(false)).toBeUndefined();
  expect(await site.isScanPending()).toBe(false);
});

it('work that is refused for want of a right tells of markers that may be lost; other errors do not', async () => {
  const { site } = await settled();
  const watch = watchOf(site);
  await watch.look(false);
  expect(watch.suspect(new SyncError('DB_UNAVAILABLE'))).toBeUndefined();
  await watch.look(false);
  expect(await site.isScanPending()).toBe(false);
  const denied = toSyncError(Object.assign(new Error('INSERT command denied'), { errno: 1142 }));
  expect(watch.suspect(denied)).toBe(denied);
  await watch.look(false);
  expect(await site.isScanPending()).toBe(true);
});
