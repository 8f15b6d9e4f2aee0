import { describe, expect, it } from 'vitest';
import { parseStamp } from '../../src/model/stamp.ts';
import { freeUidOfEmail, uidOfEmail } from '../../src/model/uid.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import { OWN } from '../support/own-tables.ts';

/** Time of a stamp, in milliseconds. */
async function msOf(cars: CapturedSite, userId: number, register: string): Promise<number> {
  return parseStamp(await cars.stamp(userId, register))?.ms ?? Number.NaN;
}

describe('a drain pass', () => {
  it('makes one entry of many markers of one user, and one per peer', async () => {
    const { host, site, drainAll, outbox, markers, database } = await capturedSite();
    const ana = await host.admin.createUser({ email: 'ana@example.com', name: 'Ana' });
    for (const name of ['A', 'An', 'Ana']) await host.person.editProfile(ana, { name, info: { en_US: name } });
    expect((await markers()).length).toBeGreaterThan(10);
    expect(await site.drain()).toMatchObject({ full: false, changed: [ana] });
    expect(await outbox()).toEqual([`homes user ${ana}`, `jobs user ${ana}`]);
    const generations = await database.query(`SELECT DISTINCT generation FROM ${OWN.outbox}`);
    expect(generations).toEqual([{ generation: 1 }]);
    await host.person.editProfile(ana, { name: 'Ana M.' });
    expect(await drainAll()).toEqual([ana]);
    expect(await database.query(`SELECT DISTINCT generation FROM ${OWN.outbox}`)).toEqual([{ generation: 2 }]);
  });

  it('S2: takes a thousand markers at a time, and all of them in the end', async () => {
    const { host, site, outbox } = await capturedSite({ peers: ['homes'] });
    await host.seed.users({ seed: 3, count: 2300 });
    await host.write('DELETE FROM {user_description}');
    const passes: { done: number; full: boolean }[] = [];
    for (let full = true; full;) {
      const { done, full: more } = await site.drain();
      passes.push({ done, full: more });
      full = more;
    }
    expect(passes.slice(0, -1).every(({ done, full }) => done === 1000 && full)).toBe(true);
    expect(passes.at(-1)).toMatchObject({ full: false });
    expect(await outbox()).toHaveLength(2300);
    expect(await site.drain()).toEqual({ done: 0, full: false, changed: [], vanished: 0 });
  });

  it('stamps a change with the time of its marker, not of the pass', async () => {
    const cars = await capturedSite();
    const { host, database, drainAll } = cars;
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await database.query(`UPDATE ${OWN.queue} SET marked_at = '2024-05-01 10:00:00.123'`);
    await drainAll();
    // The session of the test may have another time zone than the daemon's.
    const [zone] = await database.query<{ ms: string }>(
      'SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(), CURRENT_TIMESTAMP()) DIV 1000 AS ms',
    );
    const atMs = Date.UTC(2024, 4, 1, 10, 0, 0, 123) - Number(zone?.ms);
    expect(await cars.stamp(ana, 's_name')).toBe(`${atMs}-1-100-cars`);
    expect((await cars.stored(ana)).shadow.born).toMatchObject({ ms: atMs, counter: 1 });
  });

  it('stamps above what the register had, and no more: max(marker, register + 1)', async () => {
    const cars = await capturedSite();
    const { host, database, drainAll, stamp } = cars;
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    const born = await stamp(ana, 's_name');
    const bornMs = parseStamp(born)?.ms ?? 0;
    const change = async (column: string, value: string): Promise<void> => {
      await host.write(`UPDATE {user} SET ${column} = ? WHERE pk_i_id = ?`, [value, ana]);
      await database.query(`UPDATE ${OWN.queue} SET marked_at = marked_at - INTERVAL 1 DAY`);
      await drainAll();
    };
    await change('s_name', 'Ana M.');
    expect(await stamp(ana, 's_name')).toBe(`${bornMs}-2-100-cars`);
    await change('s_name', 'Ana N.');
    expect(await stamp(ana, 's_name')).toBe(`${bornMs}-3-100-cars`);
    await change('s_website', 'https://ana.example.com');
    expect(await stamp(ana, 's_website')).toBe(`${bornMs}-2-100-cars`);
    expect(await stamp(ana, 's_username')).toBe(born);
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = ?', ['Ana O.', ana]);
    const before = Date.now();
    await drainAll();
    expect(Math.abs((await msOf(cars, ana, 's_name')) - before)).toBeLessThan(2000);
  });

  it('gives a change the time of its own marker though that is in a later batch', async () => {
    const cars = await capturedSite({ before: (empty) => empty.seed.users({ seed: 3, count: 1200, firstId: 1 }) });
    const { host, database, site, drainAll } = cars;
    await host.person.viewPage(1);
    await host.write('UPDATE {user} SET dt_access_date = ? WHERE pk_i_id > 1', ['2024-06-01 12:00:00']);
    await database.query(`UPDATE ${OWN.queue} SET marked_at = marked_at - INTERVAL 2 DAY`);
    await database.query(`UPDATE ${OWN.state} SET value = '2024-01-01T00:00:00.000Z' WHERE name LIKE 'base%'`);
    await host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 1', ['Renamed']);
    const before = Date.now();
    expect((await site.drain()).changed).toEqual([1]);
    expect(Math.abs((await msOf(cars, 1, 's_name')) - before)).toBeLessThan(5000);
    expect(await drainAll()).toEqual([]);
  });

  it('sends a user only to peers that are to have what changed', async () => {
    const { host, drainAll, outbox, deliverAll } = await capturedSite({
      peers: [],
      extra: '',
      peerList: `
  - { name: homes, url: "http://127.0.0.1:1/", api_key: homes-key-0123456789-abcdefghij, send_columns: [s_name] }
  - { name: jobs, url: "http://127.0.0.1:1/", api_key: jobs-key-0123456789-abcdefghijk, send: false }
  - { name: pets, url: "http://127.0.0.1:1/", api_key: pets-key-0123456789-abcdefghijk }`,
    });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    expect(await outbox()).toEqual([`homes user ${ana}`, `pets user ${ana}`]);
    await deliverAll();
    await host.person.changePassword(ana);
    expect(await drainAll()).toEqual([ana]);
    expect(await outbox()).toEqual([`pets user ${ana}`]);
  });

  it('is done by one worker at a time, and loses nothing to a second', async () => {
    const cars = await capturedSite({ peers: ['homes'] });
    const second = await cars.again();
    await cars.host.seed.users({ seed: 3, count: 3000 });
    const passes = await Promise.all(
      Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? cars.site : second).drain()),
    );
    await cars.drainAll();
    const changed = new Set(passes.flatMap((pass) => pass.changed));
    expect(changed.size).toBeGreaterThan(0);
    expect(await cars.outbox()).toHaveLength(3000);
    const generations = await cars.database.query(`SELECT DISTINCT generation FROM ${OWN.outbox}`);
    expect(generations).toEqual([{ generation: 1 }]);
  });
});

describe('the uid of a user', () => {
  it('is derived from the address, in whatever form it was typed', async () => {
    const { host, drainAll, userOf, stored } = await capturedSite();
    const ana = await host.person.register({ email: ' Ana@Example.COM', name: 'Ana' });
    await drainAll();
    expect((await stored(ana)).uids).toEqual([uidOfEmail('ana@example.com')]);
    expect(await userOf(uidOfEmail('ana@example.com'))).toBe(ana);
  });

  it('stays when the address changes; the uid of the new address is reserved', async () => {
    const { host, drainAll, userOf, stored } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await host.person.changeEmail(ana, 'ana@example.org');
    await drainAll();
    expect((await stored(ana)).uids).toEqual([uidOfEmail('ana@example.com')]);
    expect(await userOf(uidOfEmail('ana@example.org'))).toBe(ana);
    const next = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    expect((await stored(next)).uids).toEqual([uidOfEmail('ana@example.com', 1)]);
    await host.person.changeEmail(ana, 'ana@example.net');
    const other = await host.person.register({ email: 'ana@example.org', name: 'Ana' });
    await drainAll();
    const taken = new Set([uidOfEmail('ana@example.org')]);
    expect((await stored(other)).uids).toEqual([freeUidOfEmail('ana@example.org', (uid) => taken.has(uid))]);
  });
});
