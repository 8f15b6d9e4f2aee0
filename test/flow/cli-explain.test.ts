import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { makeWorld, type World, type WorldSite } from '../support/world.ts';

let world: World;
let cars: WorldSite;
let cli: Cli;
let ana: number;

beforeAll(async () => {
  world = await makeWorld(['cars', 'homes']);
  cars = world.site('cars');
  cli = makeCli(configOf(cars, [world.site('homes')]));
  ana = await cars.host.person.register({ email: 'ana@example.com', name: 'Ana', validation: false });
  await world.settle();
}, 60_000);
afterAll(async () => {
  await world.close();
  cli.close();
});

const explain = async (who: string) => {
  const { code, out } = await cli.run('explain', who, '--json');
  return [code, JSON.parse(out)] as const;
};

describe('account-sync explain', { timeout: 60_000 }, () => {
  it('tells uids, who set what when, and that a peer has confirmed', async () => {
    const [code, report] = await explain('Ana@Example.com ');
    expect([code, report]).toMatchObject([
      0,
      {
        user_id: ana,
        email: 'a***@e***.com',
        state: 'known',
        removed: null,
        marked_at: null,
        peers: [{ peer: 'homes', confirmed: true, waiting: null, failing: null, parked: [] }],
      },
    ]);
    const { uids, registers, logs } = report as {
      uids: string[];
      registers: { name: string; hash: string; set: { site: string; date: string } }[];
      logs: { type: string; content: { uid: string } }[];
    };
    expect(uids).toHaveLength(1);
    expect(registers.find(({ name }) => name === 's_name')).toMatchObject({
      hash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      set: { site: 'cars' },
      edited: false,
    });
    expect(logs[0]).toMatchObject({ type: 'STREAM', content: { uid: uids[0] } });
    expect(JSON.stringify(report)).not.toMatch(/ana@example|\$2[aby]\$/);
    expect((await explain(String(ana)))[1]).toMatchObject({ user_id: ana, uids });
  });

  it('tells what waits, for whom, since when and why', async () => {
    await world.site('homes').stop();
    await cars.host.person.editProfile('ana@example.com', { name: 'Ana B' });
    await eventually(async () =>
      expect((await explain(String(ana)))[1]).toMatchObject({
        peers: [
          {
            peer: 'homes',
            confirmed: false,
            waiting: { state: 'waiting', id: `homes:u:${ana}` },
            failing: { message: expect.stringMatching(/cannot be reached/) as string },
          },
        ],
      }),
    );
    const { out } = await cli.run('explain', 'ana@example.com');
    expect(out).toMatch(new RegExp(`^a\\*\\*\\*@e\\*\\*\\*\\.com #${ana}\n`));
    expect(out).toMatch(/\ns_name +[0-9a-f]{16} +\d{4}-.* +cars/);
    expect(out).toMatch(/\nhomes: waiting since \d{4}-.*\n {2}calls fail since \d{4}-.*cannot be reached/);
    expect(out).toMatch(/\nlast log records\n.*STREAM/);
    await world.site('homes').start();
    await world.settle(70_000);
  });

  it('tells of an account that was removed', async () => {
    await cars.host.person.deleteAccount('ana@example.com');
    await world.settle();
    expect(await explain('ana@example.com')).toMatchObject([
      0,
      { user_id: null, state: 'removed', removed: { site: 'cars' }, peers: [{ peer: 'homes', confirmed: true }] },
    ]);
  });

  it('ends with 1 for somebody nobody knows', async () => {
    expect(await cli.run('explain', 'nobody@example.com')).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('nobody@') as string,
    });
    expect(await cli.run('explain', '4711')).toMatchObject({ code: 1, out: '' });
    expect((await cli.run('explain')).code).toBe(2);
  });
});

describe('account-sync status --watch', { timeout: 60_000 }, () => {
  it('goes on until Ctrl-C, as JSON one line each time', async () => {
    const watching = cli.start('status', '--watch', '--json');
    await eventually(() => expect(watching.out().split('\n').length).toBeGreaterThan(2), { timeoutMs: 20_000 });
    watching.kill('SIGINT');
    const { code, out } = await watching.ended;
    expect(code).toBe(0);
    for (const line of out.trimEnd().split('\n')) expect(JSON.parse(line)).toMatchObject({ site: 'cars' });
  });
});
