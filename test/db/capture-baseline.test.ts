import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { requestRescan } from '../../src/capture/baseline.ts';
import { compareStamps, formatStamp, parseStamp, type Stamp } from '../../src/model/stamp.ts';
import { uidOfEmail } from '../../src/model/uid.ts';
import { capturedSite, type CapturedSite } from '../support/captured-site.ts';
import type { Host } from '../support/osclass/host.ts';
import { OWN } from '../support/own-tables.ts';

/** An account with these dates, as an import or an old site may have it. */
async function insert(host: Host, email: string, regDate: string, modDate: string | null): Promise<number> {
  const values = [email, email, email, `$2y$10$${'a'.repeat(53)}`, regDate, modDate];
  const { id } = await host.write(
    'INSERT INTO {user} (s_email, s_name, s_username, s_password, dt_reg_date, dt_mod_date) VALUES (?, ?, ?, ?, ?, ?)',
    values,
  );
  return id;
}

async function scanPageOf(cars: CapturedSite): Promise<{ done: number; full: boolean }> {
  const page = await cars.site.scanPage();
  if (page === undefined) throw new Error('another process scans');
  return page;
}

/** A statement that makes no marker, as on a site that has no triggers just now. */
async function unmarked(cars: CapturedSite, statement: string): Promise<void> {
  await cars.host.write('SET @account_sync_applying = 1');
  await cars.host.write(statement);
  await cars.host.write('SET @account_sync_applying = NULL');
}

describe('the baseline', () => {
  it('adopts accounts as of their last edit by the time zone of the site, or else as of their registration, or else 0', async () => {
    const ids: Record<string, number> = {};
    const cars = await capturedSite({
      host: { timezone: 'Europe/Madrid' },
      before: async (host) => {
        ids['edited'] = await insert(host, 'a@example.com', '2020-01-01 00:00:00', '2024-06-01 12:00:00');
        ids['winter'] = await insert(host, 'b@example.com', '2020-01-01 12:00:00', null);
        ids['zero'] = await insert(host, 'c@example.com', '0000-00-00 00:00:00', '0000-00-00 00:00:00');
        ids['never'] = await insert(host, 'd@example.com', '1000-01-01 00:00:00', '9999-12-31 23:59:59');
        ids['future'] = await insert(host, 'e@example.com', '2020-01-01 12:00:00', '2199-01-01 00:00:00');
        ids['unadopted'] = await insert(host, 'f@example.com', '2199-01-01 00:00:00', null);
        ids['ancient'] = await insert(host, 'g@example.com', '1950-01-01 00:00:00', null);
      },
    });
    const stampOf = async (who: string): Promise<string> => cars.stamp(ids[who] ?? 0, 's_name');
    const bornOf = async (who: string): Promise<string> => formatStamp((await cars.stored(ids[who] ?? 0)).shadow.born);
    expect(await stampOf('edited')).toBe(`${Date.UTC(2024, 5, 1, 10)}-0-100-cars`);
    expect(await bornOf('edited')).toBe(`${Date.UTC(2019, 11, 31, 23)}-0-100-cars`);
    expect(await stampOf('winter')).toBe(`${Date.UTC(2020, 0, 1, 11)}-0-100-cars`);
    for (const who of ['zero', 'never', 'unadopted', 'ancient']) {
      expect({ who, stamp: await stampOf(who) }).toEqual({ who, stamp: '0-0-100-cars' });
      expect({ who, born: await bornOf(who) }).toEqual({ who, born: '0-0-100-cars' });
    }
    expect(await stampOf('future')).toBe(`${Date.UTC(2020, 0, 1, 11)}-0-100-cars`);
    expect(await cars.outbox()).toEqual([]);
  });

  it('never dates an account after now, though the site states no time zone', async () => {
    const cars = await capturedSite({
      clock: { nowMs: () => Date.UTC(2024, 5, 1, 10) },
      before: async (host) => {
        await insert(host, 'a@example.com', '2024-06-01 12:00:00', null);
        await host.write("DELETE FROM {preference} WHERE s_name = 'timezone'");
      },
    });
    expect(await cars.stamp(1, 's_name')).toBe(`${Date.UTC(2024, 5, 1, 10)}-0-100-cars`);
  });

  it('gives stamps that any real change of the same time beats', async () => {
    const cars = await capturedSite({ before: (host) => insert(host, 'a@example.com', '2024-06-01 12:00:00', null) });
    const before = parseStamp(await cars.stamp(1, 's_name')) as Stamp;
    await cars.host.write('UPDATE {user} SET s_name = ?', ['Ana']);
    await cars.database.query(`UPDATE ${OWN.queue} SET marked_at = '2000-01-01 00:00:00'`);
    await cars.drainAll();
    const after = parseStamp(await cars.stamp(1, 's_name')) as Stamp;
    expect(compareStamps(after, before)).toBeGreaterThan(0);
    expect(after.counter).toBe(1);
  });

  it('goes on where it was, page by page, in another process too', async () => {
    const cars = await capturedSite({
      install: false,
      before: (host) => host.seed.users({ seed: 4, count: 2500, idGaps: 0.3 }),
    });
    await cars.install();
    expect(await scanPageOf(cars)).toMatchObject({ done: 1000, full: true });
    expect(await cars.rows('user')).toHaveLength(1000);
    const other = await cars.again();
    expect(await other.scanPage()).toMatchObject({ done: 1000, full: true });
    expect(await other.isScanPending()).toBe(true);
    expect(await scanPageOf(cars)).toMatchObject({ done: 500, full: false });
    expect(await cars.site.isScanPending()).toBe(false);
    expect(await cars.rows('user')).toHaveLength(2500);
    expect(await cars.rows('uid')).toHaveLength(2500);
    expect(await cars.outbox()).toEqual([]);
  });

  it('goes on for as long as it is told to, under one lease', async () => {
    const cars = await capturedSite({
      install: false,
      before: (host) => host.seed.users({ seed: 4, count: 2500, idGaps: 0.3 }),
    });
    await cars.install();
    const taken: string[] = [];
    const other = await cars.again({
      onStatement: (statement) => void (/SET holder|\(name, holder/.test(statement) && taken.push(statement)),
    });
    expect(await other.scanPage(60_000)).toEqual({ done: 2500, full: false, changed: 0, vanished: 0 });
    expect(taken).toHaveLength(1);
    expect(await cars.rows('user')).toHaveLength(2500);
    expect(await cars.site.isScanPending()).toBe(false);
  });

  it('locks no row of the host and waits for none', async () => {
    const cars = await capturedSite({ install: false, before: (host) => host.seed.users({ seed: 4, count: 50 }) });
    await cars.install();
    await cars.host.db.query('START TRANSACTION');
    await cars.host.write('UPDATE {user} SET s_name = ?', ['not committed']);
    // Before what is locked is free again.
    await cars.scanAll();
    await cars.host.db.query('COMMIT');
    expect(await cars.drainAll()).toHaveLength(50);
  });
});

describe('while the baseline runs', () => {
  /** Two pages; the first is done. */
  async function halfWay(): Promise<CapturedSite> {
    const cars = await capturedSite({
      install: false,
      peers: ['homes'],
      before: (host) => host.seed.users({ seed: 4, count: 1500, firstId: 1, allActive: true }),
    });
    await cars.install();
    await scanPageOf(cars);
    return cars;
  }

  it('a change of an account it has seen is a change of that register', async () => {
    const cars = await halfWay();
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 7', ['Changed']);
    await cars.scanAll();
    expect(await cars.drainAll()).toEqual([7]);
    expect(parseStamp(await cars.stamp(7, 's_name'))?.counter).toBe(1);
    expect(parseStamp(await cars.stamp(7, 's_email'))?.counter).toBe(0);
    expect(await cars.outbox()).toEqual(['homes user 7']);
  });

  it('a change of an account it has not seen reaches the outbox, under no stamp that is not its own', async () => {
    const cars = await halfWay();
    await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id = 1400', ['Changed']);
    await cars.scanAll();
    expect(await cars.drainAll()).toEqual([1400]);
    expect(await cars.outbox()).toEqual(['homes user 1400']);
    expect(parseStamp(await cars.stamp(1400, 's_name'))?.counter).toBe(0);
    await cars.deliverAll();
    await cars.host.person.viewPage(1400);
    expect(await cars.drainAll()).toEqual([]);
  });

  it('a drain that is faster adopts the account as the baseline would', async () => {
    const cars = await halfWay();
    const row = await cars.host.user(1400);
    await cars.host.person.viewPage(1400);
    expect(await cars.drainAll()).toEqual([1400]);
    const stamp = await cars.stamp(1400, 's_name');
    await cars.scanAll();
    expect(await cars.stamp(1400, 's_name')).toBe(stamp);
    const edited = Date.parse(`${String(row?.['dt_mod_date'] ?? row?.['dt_reg_date']).replace(' ', 'T')}Z`);
    expect(stamp).toBe(`${edited}-0-100-cars`);
  });

  it('a registration reaches the outbox, whether drain or baseline sees it first', async () => {
    const cars = await halfWay();
    const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.drainAll();
    const bob = await cars.host.person.register({ email: 'bob@example.com', name: 'Bob' });
    await cars.scanAll();
    await cars.drainAll();
    expect(await cars.outbox()).toEqual([`homes user ${ana}`, `homes user ${bob}`]);
  });

  it('a deletion is a removal, of accounts it has seen and of those it has not', async () => {
    const cars = await halfWay();
    const emails = [String((await cars.host.user(3))?.s_email), String((await cars.host.user(1400))?.s_email)];
    await cars.host.person.deleteAccount(3);
    await cars.host.person.deleteAccount(1400);
    const gone = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
    await cars.host.person.deleteAccount(gone);
    await cars.scanAll();
    await cars.drainAll();
    const tombstones = (await cars.tombstones()).map(({ uid }) => uid).toSorted();
    const expected = emails.map((email) => uidOfEmail(email).replaceAll('-', '').toUpperCase());
    expect(tombstones).toEqual(expected.toSorted());
  });

  it('a change of an account whose page was read ahead is a change of that register', async () => {
    const cars = await capturedSite({
      install: false,
      peers: ['homes'],
      before: (host) => host.seed.users({ seed: 4, count: 2500, firstId: 1, allActive: true }),
    });
    await cars.install();
    let pages = 0;
    const slow = await cars.again({
      async onStatement(statement) {
        if (!/SELECT user_id, uids, shadow, .* FROM/.test(statement) || (pages += 1) > 1) return;
        await wait(300);
        await cars.host.write('UPDATE {user} SET s_name = ? WHERE pk_i_id IN (1400, 2400)', ['Changed']);
      },
    });
    await slow.scanPage(60_000);
    expect(await cars.drainAll()).toEqual([1400, 2400]);
    expect(parseStamp(await cars.stamp(1400, 's_name'))?.counter).toBe(1);
    expect(await cars.outbox()).toEqual(['homes user 1400', 'homes user 2400']);
  });

  it('an account that a peer has removed meanwhile gets no shadow', async () => {
    const cars = await halfWay();
    const slow = await cars.again({
      async onStatement(statement) {
        if (/SELECT user_id, uids, shadow, .* FROM/.test(statement))
          await unmarked(cars, 'DELETE FROM {user} WHERE pk_i_id = 1400');
      },
    });
    await slow.scanPage();
    expect(await cars.rows('user')).toHaveLength(1499);
    expect(await cars.rows('uid')).toHaveLength(1499);
    expect(await slow.scans.countVanished()).toBe(0);
  });

  it('what a peer has sent meanwhile is not forgotten', async () => {
    const cars = await halfWay();
    // As an apply would: between the read of the page and its writing, shadows appear.
    const kept = Buffer.from('00', 'hex');
    const slow = await cars.again({
      async onStatement(statement) {
        if (!/SELECT uid, user_id FROM/.test(statement)) return;
        await cars.database.query(`INSERT IGNORE INTO ${OWN.user} (user_id, uids, shadow) VALUES (1400, '', ?)`, [
          kept,
        ]);
      },
    });
    await slow.scanPage();
    const [row] = await cars.database.query<{ shadow: Buffer }>(`SELECT shadow FROM ${OWN.user} WHERE user_id = 1400`);
    expect(row?.shadow).toEqual(kept);
  });
});

describe('a re-scan', () => {
  it('that is asked for while a page is looked at begins with the first user again', async () => {
    const cars = await capturedSite({
      peers: ['homes'],
      before: (host) => host.seed.users({ seed: 4, count: 1500, firstId: 1, allActive: true }),
    });
    const { db } = cars.site;
    for (const page of [1, 2]) {
      await requestRescan(db);
      for (let before = 1; before < page; before++) await scanPageOf(cars);
      const slow = await cars.again({
        async onStatement(statement) {
          if (!/SELECT user_id, uids, shadow, .* FROM/.test(statement)) return;
          await unmarked(cars, `UPDATE {user} SET s_name = 'Changed ${page}' WHERE pk_i_id = 3`);
          await requestRescan(db);
        },
      });
      expect(await slow.scanPage()).toMatchObject({ changed: 0, full: true });
      expect(await cars.scanAll()).toBe(1);
      expect(await cars.outbox()).toEqual(['homes user 3']);
      await cars.deliverAll();
    }
  });
});

describe('a shadow', () => {
  // Pages in use: what a table takes on disk grows by whole megabytes, and says little of few users.
  it('takes at most 300 bytes for a user nobody has touched', async () => {
    const users = 20_000;
    const cars = await capturedSite({ before: (host) => host.seed.users({ seed: 8, count: users }) });
    await cars.database.query(`ANALYZE TABLE ${OWN.user}, ${OWN.uid}`);
    const [size] = await cars.database.query<{ bytes: string }>(
      `SELECT SUM(stat_value) * @@innodb_page_size AS bytes FROM mysql.innodb_index_stats
       WHERE stat_name = 'n_leaf_pages' AND database_name = ? AND table_name IN (?, ?)`,
      [cars.database.name, OWN.user, OWN.uid],
    );
    const bytes = Number(size?.bytes) / users;
    expect(bytes).toBeGreaterThan(150);
    expect(bytes).toBeLessThan(300);
  });
});
