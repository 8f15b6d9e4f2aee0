import { describe, expect, it } from 'vitest';
import { hashRemovedEmail } from '../../src/model/tombstone.ts';
import { compareStamps, parseStamp, type Stamp } from '../../src/model/stamp.ts';
import { uidOfEmail, type Uid } from '../../src/model/uid.ts';
import { capturedSite } from '../support/captured-site.ts';
import { OWN } from '../support/own-tables.ts';

const hex = (uid: Uid): string => uid.replaceAll('-', '').toUpperCase();
const ANA = uidOfEmail('ana@example.com');

describe('a deleted account', () => {
  it('leaves a tombstone and a removal for every peer, and nothing in outboxes or shadows', async () => {
    const { host, database, drainAll, outbox, tombstones, stored, userOf, rows } = await capturedSite();
    const ana = await host.person.register({ email: 'Ana@example.com', name: 'Ana', info: { en_US: 'Hi' } });
    const bob = await host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await drainAll();
    const { born } = (await stored(ana)).shadow;
    await host.person.deleteAccount(ana);
    expect(await drainAll()).toEqual([ana]);
    const [entry] = await tombstones();
    expect(await tombstones()).toEqual([{ uid: hex(ANA), removal: hex(ANA), stamp: entry?.stamp }]);
    expect(compareStamps(parseStamp(entry?.stamp ?? '') as Stamp, born)).toBeGreaterThan(0);
    const [row] = await database.query<{ ref: string; hash: string }>(
      `SELECT removal_id AS ref, LOWER(HEX(email_hash)) AS hash FROM ${OWN.tombstone}`,
    );
    expect(row?.hash).toBe(hashRemovedEmail(ANA, 'ana@example.com'));
    expect(await outbox()).toEqual([
      `homes removal ${row?.ref}`,
      `homes user ${bob}`,
      `jobs removal ${row?.ref}`,
      `jobs user ${bob}`,
    ]);
    await expect(stored(ana)).rejects.toThrow('nothing is known');
    expect(await userOf(ANA)).toBeUndefined();
    expect(JSON.stringify(await rows('tombstone'))).not.toContain('ana@');
  });

  it('that nobody heard of leaves nothing', async () => {
    const { host, drainAll, outbox, tombstones } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await host.person.deleteAccount(ana);
    expect(await drainAll()).toEqual([]);
    expect(await outbox()).toEqual([]);
    expect(await tombstones()).toEqual([]);
  });

  it('takes every uid with it, also that of the address it moved to', async () => {
    const { host, drainAll, tombstones } = await capturedSite();
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await host.person.changeEmail(ana, 'ana@example.org');
    await drainAll();
    await host.person.deleteAccount(ana);
    await drainAll();
    const uids = (await tombstones()).map(({ uid, removal }) => ({ uid, removal }));
    expect(uids).toEqual(
      [ANA, uidOfEmail('ana@example.org')].map((uid) => ({ uid: hex(uid), removal: hex(ANA) })).toSorted(byUid),
    );
  });

  it('is another one when it registers again after the removal was drained', async () => {
    const { host, drainAll, stored, tombstones } = await capturedSite();
    for (const incarnation of [0, 1, 2]) {
      const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
      await drainAll();
      expect((await stored(ana)).uids).toEqual([uidOfEmail('ana@example.com', incarnation)]);
      await host.person.deleteAccount(ana);
      await drainAll();
    }
    expect(await tombstones()).toHaveLength(3);
  });

  it('is removed once, however many are deleted at a time', async () => {
    const { host, drainAll, outbox, tombstones, rows } = await capturedSite({
      peers: ['homes'],
      before: (empty) => empty.seed.users({ seed: 5, count: 1500 }),
    });
    await host.write('DELETE FROM {user_description}');
    await host.write('DELETE FROM {user}');
    expect(await drainAll()).toHaveLength(1500);
    expect(await tombstones()).toHaveLength(1500);
    expect(await outbox()).toHaveLength(1500);
    expect(await rows('user')).toEqual([]);
    expect(await rows('uid')).toEqual([]);
  });
});

describe('a delete marker counts only if the address is gone', () => {
  it('REPLACE that changes something is a change', async () => {
    const { host, drainAll, outbox, deliverAll, tombstones, stored } = await capturedSite({ peers: ['homes'] });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await deliverAll();
    await host.write('CREATE TEMPORARY TABLE copy AS SELECT * FROM {user}');
    await host.write('UPDATE copy SET s_name = ?', ['Ana M.']);
    await host.write('REPLACE INTO {user} SELECT * FROM copy');
    expect(await drainAll()).toEqual([ana]);
    expect(await outbox()).toEqual([`homes user ${ana}`]);
    expect(await tombstones()).toEqual([]);
    expect((await stored(ana)).uids).toEqual([ANA]);
  });

  it('REPLACE under a new id goes on as the same account, and what was not sent yet still is', async () => {
    const { host, drainAll, outbox, deliverAll, tombstones, stored, userOf, rows } = await capturedSite({
      peers: ['homes'],
    });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana', userName: 'ana' });
    await drainAll();
    await deliverAll();
    const before = await stored(ana);
    await host.write('CREATE TEMPORARY TABLE copy AS SELECT * FROM {user}');
    await host.write('UPDATE copy SET pk_i_id = 77');
    await host.write('REPLACE INTO {user} SELECT * FROM copy');
    expect(await drainAll()).toEqual([]);
    expect(await stored(77)).toEqual({ ...before, userId: 77 });
    expect(await userOf(ANA)).toBe(77);
    expect(await rows('user')).toHaveLength(1);
    await host.person.changePassword(77);
    await drainAll();
    await host.write('DROP TEMPORARY TABLE copy');
    await host.write('CREATE TEMPORARY TABLE copy AS SELECT * FROM {user}');
    await host.write('UPDATE copy SET pk_i_id = 78');
    await host.write('REPLACE INTO {user} SELECT * FROM copy');
    expect(await drainAll()).toEqual([78]);
    expect(await outbox()).toEqual(['homes user 78']);
    expect(await tombstones()).toEqual([]);
  });

  it('deleted and registered again at once goes on as the same account', async () => {
    const { host, drainAll, tombstones, stored, outbox, deliverAll } = await capturedSite({ peers: ['homes'] });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await drainAll();
    await deliverAll();
    await host.person.deleteAccount(ana);
    const again = await host.person.register({ email: 'ANA@example.com', name: 'Ana again' });
    expect(await drainAll()).toEqual([again]);
    expect((await stored(again)).uids).toEqual([ANA]);
    expect(await tombstones()).toEqual([]);
    expect(await outbox()).toEqual([`homes user ${again}`]);
  });

  it('one whose address another account took by a change of address is removed', async () => {
    const { host, drainAll, tombstones, stored } = await capturedSite({ peers: ['homes'] });
    const ana = await host.person.register({ email: 'ana@example.com', name: 'Ana' });
    const bob = await host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await drainAll();
    await host.person.deleteAccount(ana);
    await host.person.changeEmail(bob, 'ana@example.com');
    expect(new Set(await drainAll())).toEqual(new Set([ana, bob]));
    expect((await tombstones()).map(({ uid }) => uid)).toEqual([hex(ANA)]);
    expect((await stored(bob)).uids).toEqual([uidOfEmail('bob@example.com')]);
  });

  it('an address that only looks the same to the collation is another', async () => {
    const { host, drainAll, tombstones } = await capturedSite({ peers: ['homes'] });
    const jose = await host.person.register({ email: 'jose@example.com', name: 'José' });
    await drainAll();
    await host.person.deleteAccount(jose);
    const other = await host.person.register({ email: 'josé@example.com', name: 'José' });
    expect(new Set(await drainAll())).toEqual(new Set([jose, other]));
    expect(await tombstones()).toHaveLength(1);
  });
});

describe('invariant 12: absence is never a removal', () => {
  it('TRUNCATE and rows deleted behind the triggers remove nobody', async () => {
    const { host, database, drainAll, scanAll, outbox, tombstones, rows } = await capturedSite({
      before: (empty) => empty.seed.users({ seed: 5, count: 20 }),
    });
    await host.write('SET FOREIGN_KEY_CHECKS = 0');
    await host.write('TRUNCATE {user}');
    await database.query(`INSERT INTO ${OWN.queue} (user_id, op) VALUES (3, 'U'), (4, 'R')`);
    expect(await drainAll()).toEqual([]);
    await database.query(`INSERT INTO ${OWN.state} VALUES ('rescan_wanted', '1')`);
    expect(await scanAll()).toBe(0);
    expect(await outbox()).toEqual([]);
    expect(await tombstones()).toEqual([]);
    expect(await rows('user')).toHaveLength(20);
  });
});

function byUid(one: { uid: string }, other: { uid: string }): number {
  return one.uid < other.uid ? -1 : 1;
}
