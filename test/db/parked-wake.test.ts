import { expect, it } from 'vitest';
import { parkRecords, readParked } from '../../src/store/parked.ts';
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
