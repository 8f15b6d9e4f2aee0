/**
 * "Upgrading" and "Going back" of docs/operating.md between release 0.1.0 and the present program, on two sites in use, and sites
 * of both versions side by side. No write of a site fails, and no edit is lost.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configOf, makeCli, type Cli, type Running } from '../support/cli.ts';
import { dumpOf } from '../support/dump.ts';
import { expectEverywhere, keepEditing, PEOPLE, registerPeople } from '../support/editing.ts';
import { eventually } from '../support/eventually.ts';
import { unpackRelease, type Release } from '../support/release.ts';
import { makeWorld, signingKeyOf, type World, type WorldSite } from '../support/world.ts';

const [HERE, THERE] = ['s_website', 's_phone_land'];

/** A site with both programs, and the daemon that runs. */
interface Versions {
  readonly site: WorldSite;
  readonly old: Cli;
  readonly now: Cli;
  daemon: Running | undefined;
}

let release: Release;
let world: World;
let cars: Versions;
let homes: Versions;

const versionsOf = (site: WorldSite, peer: WorldSite): Versions => {
  const text = configOf(site, [peer]);
  // The present program signs its calls, and 0.1.0 knows nothing of that.
  const signing = text.replace(/^site: \{/m, `site: { signing_key: ${signingKeyOf(site.name)},`);
  expect(signing).not.toBe(text);
  return { site, old: makeCli(text, release.main), now: makeCli(signing), daemon: undefined };
};
/** The site's people, under a name of their own. */
const edit = ({ site }: Versions, column: string) => keepEditing(site.host, column);

async function start(of: Versions, program: 'old' | 'now'): Promise<void> {
  const daemon = of[program].start('run');
  of.daemon = daemon;
  await eventually(
    async () => {
      const answer = await fetch(new URL('health', of.site.url));
      expect({ status: answer.status, said: daemon.err() }).toMatchObject({ status: 200 });
      const { checks } = (await answer.json()) as { checks: object };
      // It came after 0.1.0.
      expect('identity' in checks).toBe(program === 'now');
    },
    { timeoutMs: 60_000 },
  );
}

async function stop(of: Versions): Promise<void> {
  const { daemon } = of;
  of.daemon = undefined;
  daemon?.kill('SIGTERM');
  expect((await daemon?.ended)?.code ?? 0).toBe(0);
}

beforeAll(async () => {
  release = unpackRelease('0.1.0');
  world = await makeWorld(['cars', 'homes'], { idle: true });
  const [one, other] = [world.site('cars'), world.site('homes')];
  [cars, homes] = [versionsOf(one, other), versionsOf(other, one)];
  await registerPeople(one.host);
  await start(cars, 'old');
  await start(homes, 'old');
  const fed = await homes.old.run('feed', 'cars');
  if (fed.code !== 0) throw new Error(fed.err);
}, 240_000);
afterAll(async () => {
  for (const of of [cars, homes]) {
    of?.daemon?.kill('SIGTERM');
    await of?.daemon?.ended;
    of?.old.close();
    of?.now.close();
  }
  await world?.close();
  release?.close();
});

/** Registers, edits, changes a password and deletes on each site; the other has it in the end. */
async function expectBothWays(round: string): Promise<void> {
  for (const [from, to] of [
    [cars.site.host, homes.site.host],
    [homes.site.host, cars.site.host],
  ] as const) {
    const [kept, gone] = ['kept', 'gone'].map((name) => `${name}.${round}.${from.name}@example.com`) as [
      string,
      string,
    ];
    await from.person.register({ email: kept, name: 'Kept', validation: false });
    await from.person.register({ email: gone, name: 'Gone', validation: false });
    await eventually(async () => expect((await to.users()).users.has(gone)).toBe(true), { timeoutMs: 60_000 });
    const hash = `$2y$10$${round.replaceAll(/\W/g, '').padEnd(53, 'x')}`;
    await from.write('UPDATE {user} SET s_password = ? WHERE s_email = ?', [hash, kept]);
    await from.person.deleteAccount(gone);
    await to.write('UPDATE {user} SET s_phone_mobile = ? WHERE s_email = ?', [round, PEOPLE[0]]);
    await eventually(
      async () => {
        const { users } = await to.users();
        expect([users.has(gone), (await to.user(kept))?.['s_password']]).toEqual([false, hash]);
        expect((await from.user(PEOPLE[0] ?? ''))?.['s_phone_mobile']).toBe(round);
      },
      { timeoutMs: 60_000 },
    );
  }
}

describe('from release 0.1.0 to this version and back, on two sites in use', { timeout: 300_000 }, () => {
  it('Upgrading one site, while people of both write on: no write fails, no edit is lost, nothing is to be repaired', async () => {
    const [here, there] = [await edit(cars, HERE), await edit(homes, THERE)];
    expect((await dumpOf(cars.site.db)).toString('latin1')).not.toMatch(/CREATE.*TRIGGER/);
    await stop(cars);
    await start(cars, 'now');
    const check = await cars.now.run('check');
    expect(check.out + check.err).not.toMatch(/SCHEMA|TRIGGER_|RESTORED|PROTOCOL|✗/);
    const edits = { [HERE]: await here.stop(), [THERE]: await there.stop() };
    await expectEverywhere([cars.site.host, homes.site.host], edits);
  });

  it('A site of 0.1.0 and one of this version: accounts, edits, passwords and removals go both ways', async () => {
    await expectBothWays('mixed');
    await eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 60_000 });
  });

  it('The older version refuses the newer tables before it touches anything: SCHEMA_NEWER', async () => {
    await stop(cars);
    const triggers = await cars.site.db.query('SHOW TRIGGERS');
    for (const command of ['run', 'install'])
      expect(await cars.old.run(command)).toMatchObject({ code: 1, err: expect.stringMatching(/newer/i) });
    expect(await cars.site.db.query('SHOW TRIGGERS')).toEqual(triggers);
    await start(cars, 'now');
  });

  it('Going back, while people of the peer write on: no edit is lost on either site, before, during or after', async () => {
    const [before, there] = [await edit(cars, HERE), await edit(homes, THERE)];
    // 1
    const ofCars = await before.stop();
    // 2
    expect(await cars.now.run('stream')).toMatchObject({ code: 0 });
    expect(await cars.now.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
    // 3
    await stop(cars);
    expect(await cars.now.run('stream')).toMatchObject({ code: 0 });
    expect(await cars.now.run('uninstall')).toMatchObject({ code: 0, out: expect.stringMatching(/^Uninstalled/) });
    // Nobody writes there any more: what was written last has to outlive what comes.
    const ofHomes = await there.stop();
    // 4
    expect(await cars.old.run('install')).toMatchObject({ code: 0 });
    const again = await edit(cars, 's_phone_mobile');
    // 5
    await start(cars, 'old');
    expect(await cars.old.run('feed', 'homes', '--restart')).toMatchObject({ code: 0 });
    const edits = { [HERE]: ofCars, [THERE]: ofHomes, s_phone_mobile: await again.stop() };
    await expectEverywhere([cars.site.host, homes.site.host], edits);
    await expectBothWays('back');
  });

  it('Upgrading both, one after the other, while people of both write on: no edit is lost', async () => {
    const [here, there] = [await edit(cars, HERE), await edit(homes, THERE)];
    await stop(homes);
    await start(homes, 'now');
    await stop(cars);
    await start(cars, 'now');
    const edits = { [HERE]: await here.stop(), [THERE]: await there.stop() };
    await expectEverywhere([cars.site.host, homes.site.host], edits);
    await expectBothWays('both');
    await eventually(async () => expect(await world.differences()).toEqual([]), { timeoutMs: 60_000 });
  });
});
