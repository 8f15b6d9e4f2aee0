/** Servers that lack what ours has, faked one feature at a time: each is told apart by what it answers, not by its version. */
import { expect, it } from 'vitest';
import { installOnce } from '../../src/capture/install.ts';
import { readServerFacts } from '../../src/db/server-facts.ts';
import { entryOf, SyncError } from '../../src/model/errors.ts';
import { capturedSite } from '../support/captured-site.ts';
import { triggersOf } from '../support/definitions.ts';
import { refusing } from '../support/refusing.ts';

const NEITHER_SCAN_NOR_TRIGGERS = { install: false, peers: ['homes'] };
const failureOf = async (act: Promise<unknown>): Promise<SyncError> => {
  const error: unknown = await act.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SyncError);
  return error as SyncError;
};

it.each([['one trigger per event (MySQL 5.6, MariaDB 10.1)', 1235, 'TRIGGER_FOREIGN']])(
  'a server that allows %s, where a plugin has it, is left as it was, and scan mode is offered',
  async (_, errno, code) => {
    const cars = await capturedSite(NEITHER_SCAN_NOR_TRIGGERS);
    const { db, snapshot } = cars.site;
    const before = await cars.database.query('SHOW TABLES');
    const error = await failureOf(installOnce(refusing(db, /^CREATE TRIGGER(?!.*probe)/s, errno), snapshot().catalog));
    expect(error.code).toBe(code);
    expect(entryOf(error).remedy).toMatch(/capture\.mode to scan/);
    expect(await triggersOf(cars.database)).toEqual([]);
    expect(await cars.database.query('SHOW TABLES')).toEqual(before);
  },
);

it('a server that allows no triggers at all can be scanned: nothing of it asks for one', async () => {
  const cars = await capturedSite({ ...NEITHER_SCAN_NOR_TRIGGERS, extra: 'capture: { mode: scan }' });
  const { db, snapshot } = cars.site;
  const installed = await installOnce(refusing(db, /CREATE\s+TRIGGER/, 1419), snapshot().catalog, { mode: 'scan' });
  expect(installed.triggers).toBe(0);
  const ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana' });
  await cars.site.scans.now();
  await cars.host.write('UPDATE {user} SET s_zip = ? WHERE pk_i_id = ?', ['28001', ana]);
  await cars.deliverAll();
  await cars.site.scans.now();
  expect(await cars.outbox()).toEqual([`homes user ${ana}`]);
});

it.each([
  ['either word', /SHOW (?:REPLICA|SLAVE) STATUS/, 1064, { isReplica: undefined }],
  ['a read-only switch for all accounts', /super_read_only/, 1193, { readOnly: false }],
  ['a binary log', /@@global\.(?:log_bin|binlog_format)/, 1193, { logBin: false, binlogFormat: undefined }],
])('a server that does not know %s is asked otherwise, or that counts as off', async (_, pattern, errno, facts) => {
  const cars = await capturedSite(NEITHER_SCAN_NOR_TRIGGERS);
  expect(await readServerFacts(refusing(cars.site.db, pattern, errno))).toMatchObject(facts);
});

it('a server that knows only one word for a replica is asked in that one', async () => {
  const cars = await capturedSite(NEITHER_SCAN_NOR_TRIGGERS);
  const other = cars.database.serverKind === 'mariadb' ? /SHOW REPLICA STATUS/ : /SHOW SLAVE STATUS/;
  expect(await readServerFacts(refusing(cars.site.db, other, 1064))).toMatchObject({ isReplica: false });
});
