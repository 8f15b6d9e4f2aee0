import { expect, it } from 'vitest';
import type { ErrorCode } from '../../src/model/errors.ts';
import { noteInstallation } from '../../src/store/feed-cursor.ts';
import { addressesUnproven, parkRecords, readParked, usersUnproven } from '../../src/store/parked.ts';
import { bindUids } from '../../src/store/shadows.ts';
import { uidOfEmail } from '../../src/model/uid.ts';
import { capturedSite } from '../support/captured-site.ts';

it('a record that waited for a look at its account is tried again once the drain had one', async () => {
  const cars = await capturedSite({ peers: ['homes'] });
  const { db } = cars.site;
  const nowMs = Date.now();
  const uid = uidOfEmail('eva@example.com');
  const record = { uid, uids: [uid], email: 'eva@example.com', born: '0', registers: {} } as never;
  await parkRecords(db, [{ peer: 'homes', uid, userId: null, code: 'USER_BUSY', message: '', record }], nowMs);
  const due = async (): Promise<number> => (await readParked(db, { nowMs, everyMs: 60_000, limit: 10 })).length;
  expect(await due()).toBe(0);
  await cars.host.person.viewPage(await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' }));
  expect(await due()).toBe(0);
  await cars.drainAll();
  expect(await due()).toBe(1);
});

it('of accounts there that had the address of one here, and nobody proved, the last waits; what waits of that one itself stays', async () => {
  const cars = await capturedSite({ peers: ['homes', 'jobs'] });
  const { db } = cars.site;
  const nowMs = Date.now();
  const park = async (name: string, more: { peer?: string; isStranger?: true }) => {
    const uid = uidOfEmail(`${name}@example.com`);
    const record = { kind: 'user', uid, uids: [uid], email: name, born: '0', registers: {} } as never;
    const common = { peer: 'homes', userId: 7, code: 'EMAIL_UNPROVEN', message: '' } as const;
    await parkRecords(db, [{ ...common, uid, record, ...more }], nowMs);
  };
  await bindUids(db, [{ uid: uidOfEmail('own@example.com'), userId: 7 }]);
  await park('own', {});
  await park('other', { peer: 'jobs', isStranger: true });
  for (const name of ['first', 'second', 'third']) await park(name, { isStranger: true });
  const rows = await readParked(db, { nowMs: nowMs + 2 * 3_600_000, everyMs: 0, limit: 10 });
  expect(rows.map(({ peer, record }) => [peer, (record as { email: string }).email])).toEqual([
    ['homes', 'own'],
    ['jobs', 'other'],
    ['homes', 'third'],
  ]);
  expect(await usersUnproven(db, 'homes', [7])).toEqual(new Set([7]));
  expect(await addressesUnproven(db, 'homes', [7])).toEqual([{ userId: 7, email: 'own' }]);
  expect(await addressesUnproven(db, 'homes', [8])).toEqual([]);
});

it('of a peer that was installed again nothing waits for the address of an account that only it had; all else waits on', async () => {
  const cars = await capturedSite({ peers: ['homes', 'jobs'] });
  const { db } = cars.site;
  const nowMs = Date.now();
  const park = async (name: string, code: ErrorCode, { peer = 'homes', kind = 'user' } = {}) => {
    const uid = uidOfEmail(`${name}@example.com`);
    const record = { kind, uid, uids: [uid], email: name, born: '0', registers: {} } as never;
    await parkRecords(db, [{ peer, uid, userId: null, code, message: '', record }], nowMs);
  };
  const waiting = async (): Promise<string[]> => {
    const rows = await readParked(db, { nowMs: nowMs + 2 * 3_600_000, everyMs: 0, limit: 10 });
    return rows.map(({ record }) => (record as { email: string }).email).toSorted();
  };
  await bindUids(db, [{ uid: uidOfEmail('known@example.com'), userId: 7 }]);
  await noteInstallation(db, 'homes', 'native site homes');
  await park('known', 'EMAIL_TAKEN');
  await park('taken', 'EMAIL_TAKEN');
  await park('unproven', 'EMAIL_UNPROVEN');
  await park('unstorable', 'VALUE_UNSTORABLE');
  await park('removal', 'EMAIL_UNPROVEN', { kind: 'removal' });
  await park('of another', 'EMAIL_TAKEN', { peer: 'jobs' });
  const all = await waiting();
  // Until now it only told its name, and then tells the same again.
  await noteInstallation(db, 'homes', 'native 1');
  await noteInstallation(db, 'homes', 'native 1');
  expect(await waiting()).toEqual(all);
  await noteInstallation(db, 'homes', 'native 2');
  expect(await waiting()).toEqual(['known', 'of another', 'removal', 'unstorable']);
});
