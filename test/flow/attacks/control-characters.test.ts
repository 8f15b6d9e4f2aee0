/**
 * What a peer says holds sequences for terminals: to clear the screen, to name the window, to write over a line, to turn the
 * direction of text. Whatever command shows it, none gets to the terminal; and JSON says what was said.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { uidOfEmail } from '../../../src/model/uid.ts';
import { configOf, makeCli, type Cli } from '../../support/cli.ts';
import { scanAll, siteOf } from '../../support/by-hand.ts';
import { keyOf, makeWorld, type World, type WorldSite } from '../../support/world.ts';

const SEQUENCE = 'x\u001b[2J\u001b]0;owned\u0007\u009b31m\u202e\u2028\rall well\u007f';
/** All that a terminal acts upon, but line ends. */
const ACTS = /[^\P{Cc}\n]|\p{Bidi_Control}|[\u2028\u2029]/u;

let world: World;
let cars: WorldSite;
let cli: Cli;
/** Answers every call with the sequence, as message and as header. */
let liar: Server;

beforeAll(async () => {
  liar = createServer((_request, response) => {
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ status: 'ERR', code: 'INTERNAL', message: SEQUENCE }));
  });
  await new Promise<void>((resolve) => void liar.listen(0, '127.0.0.1', resolve));
  world = await makeWorld(['cars', 'evil'], { manual: true });
  cars = world.site('cars');
  await scanAll(world);
  const { port } = liar.address() as AddressInfo;
  cli = makeCli(configOf(cars, [{ name: 'evil', url: `http://127.0.0.1:${port}/` }], { port: 1 }));
  await cars.host.person.register({ email: 'ana@example.com', name: SEQUENCE, validation: false });
  await cars.host.write('UPDATE {user} SET s_name = ? WHERE s_email = ?', [SEQUENCE, 'ana@example.com']);
  await (await siteOf(cars)).drain();
  await said();
}, 120_000);
afterAll(async () => {
  cli.close();
  liar.close();
  await world.close();
});

/** A record that waits, a message of the peer, and a log record: in each the sequence, as far as it gets. */
async function said(): Promise<void> {
  const email = `${SEQUENCE}@example.com`;
  const registers = { s_email: { values: { s_email: email } }, password: { values: { s_password: SEQUENCE } } };
  const record = { kind: 'user', uids: [uidOfEmail(email)], email, born: `${Date.now()}-1-100-evil`, registers };
  await fetch(new URL('v1/stream', cars.url), {
    method: 'POST',
    headers: { authorization: `Bearer ${keyOf('evil')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ site: 'evil', records: [record] }),
  });
  await cars.db.query('UPDATE oc_account_sync_parked SET message = ?', [SEQUENCE]);
  await cars.db.query('UPDATE oc_account_sync_log SET response = ?, content = JSON_SET(content, "$.code", ?)', [
    SEQUENCE,
    SEQUENCE,
  ]);
  await cars.db.query(
    `INSERT INTO oc_account_sync_peer (name, status, message, failing_since)
     VALUES ('evil', 'ERR', ?, NOW(3)) ON DUPLICATE KEY UPDATE message = ?, failing_since = NOW(3)`,
    [SEQUENCE, SEQUENCE],
  );
}

describe('no sequence of a peer gets to the terminal', { timeout: 120_000 }, () => {
  it.each([
    [['status']],
    [['logs']],
    [['logs', '--json']],
    [['parked']],
    [['parked', '--json']],
    [['explain', 'ana@example.com']],
    [['explain', 'ana@example.com', '--json']],
    [['check']],
    [['check', '--json']],
    [['feed', 'evil']],
    [['stream', 'evil']],
    [['status', '--json']],
  ])('by %j', async (args) => {
    const { out, err } = await cli.run(...args);
    expect(out + err).not.toMatch(ACTS);
    expect(out + err).not.toBe('');
    if (args.includes('--json')) JSON.parse(out);
  });

  it('and what was said is in it, to be seen', async () => {
    expect((await cli.run('logs')).out).toContain(String.raw`x\u001b[2J`);
    expect((await cli.run('parked')).out).toContain(String.raw`x\u001b[2J`);
    expect((await cli.run('status')).out).toContain(String.raw`x\u001b[2J`);
    const { logs } = JSON.parse((await cli.run('logs', '--json')).out) as { logs: { response: string }[] };
    expect(logs.map(({ response }) => response)).toContain(SEQUENCE);
  });

  it('nor by what the person wrote', async () => {
    const { out, err } = await cli.run('explain', SEQUENCE);
    expect(out + err).toMatch(/u001b/);
    expect(out + err).not.toMatch(ACTS);
    expect((await cli.run('stream', SEQUENCE)).err).not.toMatch(ACTS);
  });
});
