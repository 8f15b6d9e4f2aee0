/** What waits because nobody proved an address is seen, needs nobody, is one row for each account, and goes by itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dateBack, makeAttackStage, type AttackStage } from '../support/attack-stage.ts';
import { deliverAll, drainAll, siteOf } from '../support/by-hand.ts';
import { configOf, makeCli, type Cli } from '../support/cli.ts';
import type { Host } from '../support/osclass/host.ts';
import { resetByMail, setValidation, signUp } from '../support/validation.ts';
import { tokenOf } from '../support/world.ts';

const GOING = ['proved', 'linked', 'dropped', 'removed', 'moved', 'left'] as const;
const STAYING = ['fed', 'one'] as const;
const address = (name: string): string => `${name}@example.com`;

let stage: AttackStage;
let cli: Cli;
/** Each has an account on both sites, where nobody proves addresses. Nothing was sent yet. */
beforeAll(async () => {
  stage = await makeAttackStage({
    carsValidates: false,
    async before({ homes, cars }) {
      await setValidation(homes, false);
      for (const name of [...GOING, ...STAYING]) {
        for (const host of [homes, cars]) await signUpLongAgo(host, address(name), host === cars ? 'There' : 'Here');
      }
    },
  });
  cli = makeCli(configOf(stage.homes, [stage.cars]));
}, 60_000);
afterAll(async () => {
  cli.close();
  await stage.close();
});

async function signUpLongAgo(host: Host, email: string, called: string): Promise<void> {
  await signUp({ host }, { email, name: called });
  await dateBack(host, email, called === 'Here' ? '2021-03-04 05:06:07' : '2022-03-04 05:06:07');
}

/** What cars has is sent to homes. */
async function send(): Promise<void> {
  await drainAll(stage.cars);
  await deliverAll(stage.cars, 'homes');
}

async function touch(name: string, zip: string): Promise<void> {
  await stage.cars.host.write('UPDATE {user} SET s_zip = ? WHERE s_email = ?', [zip, address(name)]);
  await send();
}

const countOf = async (): Promise<unknown> => (await stage.homes.admin('GET', '/v1/peers/cars')).body['unproven'];

describe('beforehand', () => {
  it('check says what counts as proved on either side, and names the one line that changes it with its risk', async () => {
    const { findings } = JSON.parse((await cli.run('check', '--json')).out) as {
      findings: { check: string; result: string; message: string; remedy?: string }[];
    };
    const here = findings.find(({ check }) => check === 'addresses');
    expect(here).toMatchObject({
      result: 'warn',
      message: expect.stringMatching(/does not validate.*0 of 8 accounts/),
    });
    const there = findings.find(({ check, message }) => check === 'peer cars' && message.includes('addresses'));
    expect(there).toMatchObject({
      result: 'warn',
      message: expect.stringMatching(/does not validate.*EMAIL_UNPROVEN/),
    });
    expect(there?.remedy).toMatch(/email_trust: verified .*yours and you accept that whoever registers there/);
  });

  it('feed --dry-run counts what would wait, and names it too', async () => {
    const { out, err, code } = await cli.run('feed', 'cars', '--dry-run');
    expect(out).toMatch(/park 8\b/);
    expect(err).toMatch(/8 of them would wait as EMAIL_UNPROVEN/);
    expect(err).toMatch(/link EMAIL cars.*email_trust: verified .*gets that account here/s);
    expect(code).toBe(3);
    expect(await countOf()).toBe(0);
  });
});

describe('what waits', () => {
  it('is one row for each account, whatever is changed there', async () => {
    await touch('one', '28001');
    await touch('one', '28002');
    const { site } = await stage.homes.open();
    await site.feed('cars', { restart: true, once: false, dryRun: false, overwrite: false });
    await touch('one', '28003');
    expect(await stage.waiting(stage.homes, address('one'))).toEqual(['EMAIL_UNPROVEN']);
    expect(await countOf()).toBe(GOING.length + STAYING.length);
  });

  it('is counted by status, the list of peers, health and a metric, and needs nobody', async () => {
    const waiting = GOING.length + STAYING.length;
    const status = await cli.run('status', '--json');
    expect(JSON.parse(status.out)).toMatchObject({ unproven: waiting, parked: 0, peers: [{ unproven: waiting }] });
    expect(status.code).toBe(0);
    expect((await cli.run('status')).out).toMatch(/8 accounts of cars unproven/);
    const { peers } = (await stage.homes.admin('GET', '/v1/peers')).body as { peers: object[] };
    expect(peers).toMatchObject([
      { name: 'cars', unproven: waiting, parked: 0 },
      { name: 'jobs', unproven: 0 },
    ]);
    const { checks } = (await stage.homes.admin('GET', '/health')).body as { checks: Record<string, object> };
    expect(checks['queue']).toEqual({ status: 'ok', message: expect.stringContaining('8 unproven') });
    const metrics = await fetch(new URL('metrics', stage.homes.url), {
      headers: { authorization: `Bearer ${tokenOf('homes')}` },
    });
    const text = await metrics.text();
    expect(text).toContain('account_sync_unproven{peer="cars"} 8');
    expect(text).toContain('account_sync_parked{peer="cars"} 0');
    const { parked } = (await stage.homes.admin('GET', '/v1/parked')).body as { parked: { code: string }[] };
    expect(parked.map(({ code }) => code)).toEqual(Array.from({ length: waiting }, () => 'EMAIL_UNPROVEN'));
  });
});

describe('it goes', () => {
  const rowOf = async (name: string): Promise<string> => {
    const rows = await stage.homes.db.query<{ id: string; record: Buffer }>(
      'SELECT id, record FROM oc_account_sync_parked',
    );
    return String(rows.find(({ record }) => record.includes(address(name)))?.id);
  };
  const acts: Readonly<Record<(typeof GOING)[number], () => Promise<unknown>>> = {
    proved: () => resetByMail(stage.cars.host, address('proved')),
    linked: () => stage.homes.admin('POST', '/v1/link', { email: address('linked'), peer: 'cars' }),
    dropped: async () => stage.homes.admin('DELETE', `/v1/parked/${await rowOf('dropped')}`),
    removed: () => stage.cars.host.person.deleteAccount(address('removed')),
    moved: () => stage.cars.host.person.changeEmail(address('moved'), address('elsewhere')),
    left: () => stage.homes.host.person.deleteAccount(address('left')),
  };

  it.each(GOING)('once it is %s', async (name) => {
    expect(await stage.waiting(stage.homes, address(name))).toEqual(['EMAIL_UNPROVEN']);
    await acts[name]();
    await drainAll(stage.homes);
    await send();
    await stage.homes.db.query("UPDATE oc_account_sync_parked SET tried_at = '1970-01-01'");
    await (await siteOf(stage.homes)).retryParked();
    expect(await stage.waiting(stage.homes, address(name))).toEqual([]);
  });

  it('under a uid, once the peer knows that whoever had that one here was removed', async () => {
    const email = address('again');
    await signUp(stage.homes, { email, name: 'Here' });
    await drainAll(stage.homes);
    await stage.homes.host.person.deleteAccount(email);
    await drainAll(stage.homes);
    await signUp(stage.homes, { email, name: 'Here again' });
    await drainAll(stage.homes);
    await signUp(stage.cars, { email, name: 'There' });
    await send();
    expect(await stage.waiting(stage.homes, email)).toHaveLength(1);
    await deliverAll(stage.homes, 'cars');
    await send();
    expect(await stage.waiting(stage.homes, email)).toHaveLength(1);
    await stage.cars.host.person.deleteAccount(email);
    await send();
    expect(await stage.waiting(stage.homes, email)).toEqual([]);
  });

  it('and nobody else with it', async () => {
    expect(await countOf()).toBe(STAYING.length);
    for (const name of STAYING) expect(await stage.waiting(stage.homes, address(name))).toEqual(['EMAIL_UNPROVEN']);
  });

  it('who was removed there, or had another address here, is who it was said', async () => {
    expect((await stage.homes.host.user(address('proved')))?.['s_name']).toBe('There');
    expect((await stage.homes.host.user(address('linked')))?.['s_name']).toBe('There');
    for (const name of ['dropped', 'removed', 'moved']) {
      expect((await stage.homes.host.user(address(name)))?.['s_name']).toBe('Here');
    }
    for (const name of ['elsewhere', 'left']) {
      expect((await stage.homes.host.user(address(name)))?.['s_name']).toBe('There');
    }
  });

  it('all at once, when the peer is trusted', async () => {
    const site = await siteOf(stage.homes);
    const trusting = site.config.peers.map((peer) => ({ ...peer, emailTrust: 'verified' as const }));
    await site.reconfigure({ ...site.config, peers: trusting });
    await site.refresh();
    await site.retryParked();
    expect(await countOf()).toBe(0);
  });
});
