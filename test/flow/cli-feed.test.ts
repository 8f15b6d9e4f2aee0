import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli, type Ended } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let homes: WorldSite;
let cli: Cli;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes'], { idle: true });
  [cars, homes] = [world.site('cars'), world.site('homes')];
  for (const { host } of [cars, homes]) {
    await host.admin.createUser({ email: 'ana@example.com', name: host.name === 'cars' ? 'Ana' : 'Ana B' });
  }
  await homes.host.seed.users({ seed: 'homes', count: 60, allActive: true });
  await homes.db.query(`UPDATE oc_t_user SET s_website = ''`);
  const { site } = await homes.start();
  await eventually(
    async () => {
      if (await site.isScanPending()) throw new Error('homes is still looking at its users');
    },
    { timeoutMs: 30_000 },
  );
  cli = makeCli(configOf(cars, [homes]));
  await cli.run('install');
}, 90_000);
afterAll(async () => {
  await world.close();
  cli.close();
});

const lastLine = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
const cursor = async (): Promise<number> => {
  const [row] = await cars.db.query<{ id: string }>('SELECT last_user_id AS id FROM oc_account_sync_peer');
  return Number(row?.id ?? 0);
};

describe('account-sync feed', { timeout: 120_000 }, () => {
  it('says in a dry run who would change, in which registers, and why not', async () => {
    await cars.db.query('ALTER TABLE oc_t_user MODIFY s_website VARCHAR(5)');
    await homes.db.query(
      `UPDATE oc_t_user SET s_website = 'https://ana.example.com/' WHERE s_email = 'ana@example.com'`,
    );
    const dry = await cli.run('feed', 'homes', '--dry-run');
    expect(dry.out).toMatch(/^insert {2}\S\*\*\*@\S+$/m);
    expect(dry.out).toMatch(/^park {4}a\*\*\*@e\*\*\*\.com {2}#1 {2}(?:[\w, ]+ {2})?VALUE_UNSTORABLE: /m);
    expect(dry.out).toMatch(/^Would insert 60, update 0, leave 0 unchanged, park 1\.$/m);
    expect(lastLine(dry.out)).toMatch(/^Progress: 100\.00% \(Total stats - Retrieved: 61/);
    expect(dry.code).toBe(3);

    const { out } = await cli.run('feed', 'homes', '--dry-run', '--json');
    const { planned } = JSON.parse(out) as { planned: unknown[] };
    expect(planned).toHaveLength(61);
    expect(planned[0]).toMatchObject({
      result: 'parked',
      user_id: 1,
      email: 'a***@e***.com',
      code: 'VALUE_UNSTORABLE',
    });
    expect(out).not.toMatch(/ana@example/);
    expect((await cars.host.users()).users.size).toBe(1);
    expect(await cursor()).toBe(0);
  });

  it('takes one page with --once, stops after a page on Ctrl-C, and goes on from there', async () => {
    cli.configure(configOf(cars, [homes], { extra: 'feed: { limit: 2 }' }));
    const once = await cli.run('feed', 'homes', '--once');
    expect(lastLine(once.out)).toMatch(/Retrieved: 2, Remaining: 59, .*Limit: 2, From user ID: 0\)$/);

    const feed = cli.start('feed', 'homes');
    await eventually(async () => expect(await cursor()).toBeGreaterThan(2), { timeoutMs: 30_000, intervalMs: 2 });
    feed.kill('SIGINT');
    const { code, out, err } = await feed.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/Stopped; the next "account-sync feed homes" goes on from here\./);
    const [, retrieved] = /Retrieved: (\d+), Remaining/.exec(lastLine(out)) ?? [];
    const [, after] = /From user ID: (\d+)/.exec(lastLine(out)) ?? [];
    const stoppedAt = await cursor();
    expect(Number(after)).toBeLessThan(stoppedAt);
    expect(Number(retrieved)).toBeLessThan(61);

    cli.configure(configOf(cars, [homes]));
    const rest = await cli.run('feed', 'homes');
    expect(lastLine(rest.out)).toMatch(new RegExp(`Remaining: 0, Total: 61 .*From user ID: ${stoppedAt}\\)$`));
    expect((await cars.host.users()).users.size).toBe(61);
  });

  it('parks what cannot be stored, says so, and status, parked and retry know of it', async () => {
    const again = await cli.run('feed', 'homes', '--restart');
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining('account-sync parked') });

    const status = await cli.run('status');
    expect(status.code).toBe(3);
    expect(status.out).toMatch(/^cars: something needs you$/m);
    const { parked } = JSON.parse((await cli.run('status', '--json')).out) as { parked: number };
    expect(parked).toBe(1);

    const list = await cli.run('parked', '--json');
    expect(list.code).toBe(3);
    const [entry] = (JSON.parse(list.out) as { parked: { id: string; email: string }[] }).parked;
    expect(entry).toMatchObject({ email: 'a***@e***.com', code: 'VALUE_UNSTORABLE', direction: 'in', peer: 'homes' });
    const id = entry?.id ?? '';
    expect(await cli.run('parked')).toMatchObject({
      out: expect.stringMatching(new RegExp(`^${id} +from homes `, 'm')),
      err: expect.stringMatching(/VALUE_UNSTORABLE: .*\nThen: account-sync parked retry ID/),
    });

    expect(await cli.run('parked', 'retry', id)).toMatchObject({ code: 3, out: expect.stringContaining('parked') });
    await cars.db.query('ALTER TABLE oc_t_user MODIFY s_website VARCHAR(100)');
    expect(await cli.run('parked', 'retry', id)).toMatchObject({ code: 0, out: `${id}: applied\n` });
    expect(await cli.run('parked', 'retry', id)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/Nothing is parked/),
    });
    expect((await cli.run('status')).code).toBe(0);
    const noted = JSON.parse((await cli.run('logs', '--search', 'retry', '--json')).out) as { logs: unknown[] };
    const by = `command line (${userInfo().username})`;
    expect(noted.logs).toMatchObject([
      {
        type: 'PROCESS',
        peer: 'homes',
        content: { operation: 'retry', by, parked: id },
        response: `Tried again by ${by}: applied`,
      },
      { content: { operation: 'retry', by, parked: id }, response: `Tried again by ${by}: parked` },
    ]);
  });

  it('gives up what is dropped, and notes who did it', async () => {
    await cars.db.query(
      `INSERT INTO oc_account_sync_parked (peer, uid, code, message, record, created_at, tried_at)
       VALUES ('homes', REPEAT('u', 16), 'VALUE_UNSTORABLE', 'too long', '{"kind":"user","uids":["u"]}', NOW(), NOW())`,
    );
    const [entry] = (JSON.parse((await cli.run('parked', '--json')).out) as { parked: { id: string }[] }).parked;
    expect(await cli.run('parked', 'drop', entry?.id ?? '')).toMatchObject({ code: 0, out: `${entry?.id}: dropped\n` });
    const noted = JSON.parse((await cli.run('logs', '--search', 'Dropped by', '--json')).out) as { logs: unknown[] };
    expect(noted.logs).toMatchObject([
      {
        type: 'PROCESS',
        peer: 'homes',
        content: { operation: 'drop', parkedFor: 'VALUE_UNSTORABLE', parked: entry?.id },
      },
    ]);
  });

  it('refuses a peer we take nothing from', async () => {
    cli.configure(configOf(cars, [homes]).replace('name: homes,', 'name: homes, receive: false,'));
    const { code, err } = await cli.run('feed', 'homes');
    cli.configure(configOf(cars, [homes]));
    expect([code, err]).toEqual([3, expect.stringMatching(/We take nothing from homes \(receive: false\)/)]);
  });
});

describe('account-sync stream', { timeout: 120_000 }, () => {
  it('leaves entries waiting, and ends with 1, while a peer cannot be reached', async () => {
    await homes.stop();
    await cars.host.person.editProfile('ana@example.com', { phoneMobile: '+34 600' });
    const { code, out } = await cli.run('stream');
    expect(code).toBe(1);
    expect(out).toMatch(/^homes: 0 sent, 1 waiting — The peer cannot be reached/m);
    const status = await cli.run('status');
    expect(status).toMatchObject({ code: 0, out: expect.stringMatching(/^homes fails for /m) });
    expect((await cli.run('check')).code).toBe(3);
  });

  it('sends them when it is back', async () => {
    await homes.start();
    const approved = await cli.run('approve', 'homes', '--json');
    expect([approved.code, JSON.parse(approved.out)]).toMatchObject([0, { peer: 'homes', released: 0, by_class: {} }]);
    const { code, out } = await cli.run('stream', 'homes', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      { peers: [{ peer: 'homes', sent: 1, pending: 0, problem: null }] },
    ]);
  });
});

describe('account-sync feed beside a running daemon', { timeout: 180_000 }, () => {
  const withToken = (token: string): string =>
    configOf(cars, [homes]).replace(/admin_token: [^ ,}]+/, `admin_token: ${token}`);
  const progress = async (): Promise<{ message: string | null; running: boolean }> => {
    const { body } = await cars.admin('GET', '/v1/peers/homes/feed');
    return body as unknown as { message: string | null; running: boolean };
  };
  afterAll(async () => cars.stop());

  it('does and prints the same as without one, whatever the flags', { timeout: 400_000 }, async () => {
    // One user cannot be stored, the others are here already.
    await cars.db.query('ALTER TABLE oc_t_user MODIFY s_website VARCHAR(30)');
    await homes.db.query(
      `UPDATE oc_t_user SET s_website = 'https://ana.example.com/a/longer/address' WHERE s_email = 'ana@example.com'`,
    );
    const ways = [
      ['--restart'],
      ['--restart', '--once', '--json'],
      ['--dry-run', '--restart'],
      ['--dry-run', '--restart', '--json'],
    ];
    await cli.run('feed', 'homes', '--restart');
    // A line of progress is printed every three seconds, however far it is by then.
    const run = async (flags: readonly string[]): Promise<Ended> => {
      const ended = await cli.run('feed', 'homes', ...flags);
      return { ...ended, err: ended.err.replaceAll(/^feed homes: \d+ of .*\n/gm, '') };
    };
    const alone: Ended[] = [];
    for (const flags of ways) alone.push(await run(flags));
    await cars.start();
    for (const [index, flags] of ways.entries()) {
      const beside = await run(flags);
      expect([flags, beside]).toEqual([flags, alone[index]]);
      expect(beside.code).toBe(3);
      // The daemon did it, and not a process of its own.
      const { message } = await progress();
      expect(message).toMatch(/^Progress: \d/);
      expect(beside.out).toContain(message);
    }
    await cars.db.query('ALTER TABLE oc_t_user MODIFY s_website VARCHAR(100)');
  });

  it('stops after a page on Ctrl-C, and the daemon does not go on with it', async () => {
    cli.configure(configOf(cars, [homes], { extra: 'feed: { limit: 1 }' }));
    await cars.stop();
    await cars.start({ config: { ...cars.config, feed: { limit: 1 } } });
    const feed = cli.start('feed', 'homes', '--restart');
    await eventually(
      async () => expect(await progress()).toMatchObject({ running: true, message: expect.any(String) as string }),
      {
        timeoutMs: 60_000,
        intervalMs: 2,
      },
    );
    feed.kill('SIGINT');
    const { code, err, out } = await feed.ended;
    expect([code, err]).toEqual([
      130,
      expect.stringMatching(/Stopped; the next "account-sync feed homes", without --restart, goes on/),
    ]);
    expect(lastLine(out)).toMatch(/^Progress: /);
    expect(await progress()).toMatchObject({ running: false, message: lastLine(out) });
    cli.configure(configOf(cars, [homes]));
  });

  it('is refused while the daemon feeds from that peer, and told when the daemon goes away in the middle', async () => {
    await homes.stop();
    const first = cli.start('feed', 'homes', '--restart');
    await eventually(async () => expect(await progress()).toMatchObject({ running: true }), { timeoutMs: 60_000 });
    expect(await cli.run('feed', 'homes')).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^LEASE_LOST: Another process is feeding from homes now/),
    });
    await eventually(() => expect(first.err()).toMatch(/homes: .*Next try in \d+ s/), { timeoutMs: 60_000 });
    await cars.stop();
    expect(await first.ended).toMatchObject({ code: 1, err: expect.stringMatching(/STOPPING: /) });
    await homes.start();
  });

  it('works in a process of its own where the daemon does not know the token', async () => {
    await cars.start();
    cli.configure(withToken('another-token-of-more-than-20-characters'));
    expect(await cli.run('feed', 'homes', '--restart')).toMatchObject({ out: expect.stringMatching(/Progress: 100/) });
    expect(await progress()).toMatchObject({ message: null });
    cli.configure(configOf(cars, [homes]));
  });
});

describe('account-sync feed --overwrite', { timeout: 120_000 }, () => {
  it('makes the peer the master once: what it has wins over what was edited here later', async () => {
    const pair = await makeWorld(['cars', 'homes']);
    const master = makeCli(configOf(pair.site('cars'), [pair.site('homes')]));
    try {
      const [here, there] = [pair.site('cars'), pair.site('homes')];
      await there.host.person.register({ email: 'ben@example.com', name: 'There', validation: false });
      await pair.settle();
      await there.stop();
      await here.host.person.editProfile('ben@example.com', { name: 'Here, and later' });
      const nameHere = async (): Promise<unknown> => (await here.host.user('ben@example.com'))?.['s_name'];
      await eventually(async () => {
        expect(await here.db.query('SELECT 1 FROM oc_account_sync_queue')).toEqual([]);
      });
      await here.stop();
      await there.start();
      expect(await master.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
      expect(await nameHere()).toBe('Here, and later');
      expect(await master.run('feed', 'homes', '--restart', '--overwrite')).toMatchObject({ code: 0 });
      expect(await nameHere()).toBe('There');
    } finally {
      master.close();
      await pair.close();
    }
  });
});
