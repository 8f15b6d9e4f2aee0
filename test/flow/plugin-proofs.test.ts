/** What a peer with the PHP plugin is sent and served of accounts that nobody proved, and what comes back of them. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, victimOn, waiting, type AttackStage } from '../support/attack-stage.ts';
import { siteOf } from '../support/by-hand.ts';
import type { Host } from '../support/osclass/host.ts';
import { resetByMail, setValidation, signUp, signUpAsOwner } from '../support/validation.ts';

const EMAIL = 'eva@example.com';
const VERIFIED = { peerExtra: { 'homes.jobs': '    email_trust: verified\n' } };
let stage: AttackStage;
afterEach(() => stage.close());

/** Users whose account waits to be sent, for nobody proved the address. */
const untold = async (): Promise<number[]> => {
  const rows = await stage.homes.db.query<{ ref: string }>(
    "SELECT ref FROM oc_account_sync_outbox WHERE peer = 'jobs' AND kind = 'u' AND code = 'EMAIL_UNPROVEN'",
  );
  return rows.map(({ ref }) => Number(ref));
};
const atJobs = async (email = EMAIL): Promise<unknown> => (await stage.jobs.host.user(email))?.s_name;

it('what is edited there arrives after the account there won over one that nobody confirmed here', async () => {
  stage = await makeAttackStage(VERIFIED);
  await signUp(stage.homes, { email: EMAIL, name: 'Mallory' });
  await signUpAsOwner(stage.jobs, { email: EMAIL, name: 'Eva' });
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_name: 'Eva', b_active: 1 });
  await stage.jobs.person.editProfile(EMAIL, { name: 'Eva, edited', phoneMobile: '0911 7' });
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_name: 'Eva, edited', s_phone_mobile: '0911 7' });
  expect(await waiting(stage.homes, EMAIL)).toEqual([]);
}, 60_000);

it('a feed leaves out who proved nothing; he is sent once he did', async () => {
  stage = await makeAttackStage();
  const proved = 'proved@example.com';
  await signUpAsOwner(stage.homes, { email: proved, name: 'Proved' });
  await (await siteOf(stage.homes)).drain();
  await setValidation(stage.homes.host, false);
  const id = await signUp(stage.homes, { email: EMAIL, name: 'Eva' });
  expect(await stage.jobs.feed('homes')).toBe(1);
  expect([await atJobs(proved), await atJobs()]).toEqual(['Proved', undefined]);
  await stage.settle();
  expect(await atJobs()).toBeUndefined();
  expect(await untold()).toEqual([id]);
  const owners = await resetByMail(stage.homes.host, EMAIL);
  await stage.settle();
  expect(await stage.jobs.host.user(EMAIL)).toMatchObject({ s_name: 'Eva', s_password: owners });
  expect(await untold()).toEqual([]);
}, 60_000);

it('the sweep sends who waits, once the config lets them go; and not who never opened the link', async () => {
  stage = await makeAttackStage();
  const { homes } = stage;
  const inactive = 'inactive@example.com';
  const never = await signUp(homes, { email: inactive, name: 'Never' });
  await setValidation(homes.host, false);
  const id = await signUp(homes, { email: EMAIL, name: 'Eva' });
  await stage.settle();
  expect(await untold()).toEqual([never, id]);
  await homes.stop();
  const peers = homes.config.peers.map((peer) =>
    peer.name === 'jobs' ? { ...peer, emailTrust: 'verified' as const } : peer,
  );
  await homes.start({ config: { ...homes.config, peers } });
  await (await siteOf(homes)).plugin.sweep();
  await stage.settle();
  expect([await atJobs(), await atJobs(inactive)]).toEqual(['Eva', undefined]);
  expect(await untold()).toEqual([never]);
}, 60_000);

it('where email_trust is verified, active accounts of here go there at once, though nobody proved anything', async () => {
  stage = await makeAttackStage(VERIFIED);
  await setValidation(stage.homes.host, false);
  await signUp(stage.homes, { email: EMAIL, name: 'Eva' });
  await stage.settle();
  expect(await atJobs()).toBe('Eva');
  expect(await untold()).toEqual([]);
}, 60_000);

it('who waits here, held by the guard, and is deleted there does not come once the guard lets go', async () => {
  stage = await makeAttackStage();
  const { homes, jobs } = stage;
  await homes.stop();
  const guard = { ...homes.config.guard, creations: { number: 0, percent: 0 } };
  await homes.start({ config: { ...homes.config, guard } });
  const [kept, gone] = ['kept@example.com', 'gone@example.com'];
  for (const email of [kept, gone]) await signUpAsOwner(jobs, { email, name: 'Eva' });
  await jobs.runCron();
  expect([await waiting(homes, kept), await waiting(homes, gone)]).toEqual([['GUARD_HELD'], ['GUARD_HELD']]);
  await jobs.person.deleteAccount(gone);
  await jobs.runCron();
  expect([await waiting(homes, kept), await waiting(homes, gone)]).toEqual([['GUARD_HELD'], []]);
  expect((await homes.admin('POST', '/v1/peers/jobs/approve')).body).toMatchObject({ released: 1 });
  expect(await homes.host.user(kept)).toBeDefined();
  expect(await homes.host.user(gone)).toBeUndefined();
}, 60_000);

it('a removal there of which nothing was said or told removes nobody here, with email_trust: verified neither', async () => {
  const before = async (on: Record<'homes' | 'jobs', Host>): Promise<void> => {
    await victimOn(on.homes, EMAIL);
    await victimOn(on.jobs, EMAIL, 'Another');
  };
  stage = await makeAttackStage({ ...VERIFIED, before });
  await stage.jobs.person.deleteAccount(EMAIL);
  await stage.jobs.runCron();
  expect(await stage.homes.host.user(EMAIL)).toBeDefined();
}, 60_000);

it('who waited here for an address is not who was removed here: he stays there, and comes with his next change', async () => {
  const before = async (on: Record<'homes' | 'jobs', Host>): Promise<void> => {
    await setValidation(on.homes, false);
    await victimOn(on.homes, EMAIL);
    await victimOn(on.jobs, EMAIL, 'Another');
  };
  stage = await makeAttackStage({ before });
  const { homes, jobs } = stage;
  await jobs.person.editProfile(EMAIL, { phoneMobile: '1' });
  await stage.settle();
  expect(await waiting(homes, EMAIL)).toEqual(['EMAIL_UNPROVEN']);
  await homes.host.person.deleteAccount(EMAIL);
  await stage.settle();
  await jobs.person.editProfile(EMAIL, { phoneMobile: '2' });
  await stage.settle();
  expect(await atJobs()).toBe('Another');
  expect(await homes.host.user(EMAIL)).toMatchObject({ s_name: 'Another', s_phone_mobile: '2' });
}, 60_000);
