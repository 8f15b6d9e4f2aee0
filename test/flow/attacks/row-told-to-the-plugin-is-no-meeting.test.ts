/** That this site served, or tried to send, a row of an address to a peer with the plugin does not mean that its account there has met ours. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { setValidation, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
let stage: AttackStage;
afterEach(() => stage.close());

async function make(squattedBefore: boolean): Promise<void> {
  stage = await makeAttackStage({
    carsValidates: true,
    async before({ homes, jobs }) {
      await victimOn(homes, EMAIL);
      await setValidation(jobs, false);
      if (squattedBefore) await signUp({ host: jobs }, { email: EMAIL, name: 'Mallory' });
    },
  });
}

async function squatterActs(): Promise<string> {
  const his = await stage.jobs.host.person.changePassword(EMAIL);
  await stage.jobs.person.editProfile(EMAIL, { website: 'https://mallory.example' });
  await stage.settle();
  return his;
}

it('a row that never arrived', { timeout: 60_000 }, async () => {
  await make(true);
  // The owner edits here; the site of the peer is closed, or refuses (it takes nothing from us).
  const { apiKey } = stage.jobs.accounts[0] as { apiKey: string };
  (stage.jobs.accounts[0] as { apiKey: string }).apiKey = 'other';
  await stage.homes.host.person.editProfile(EMAIL, { website: 'https://victim.example' });
  const { site } = await stage.homes.open();
  await site.drain();
  await site.deliver(site.route('jobs')).catch(() => undefined);
  (stage.jobs.accounts[0] as { apiKey: string }).apiKey = apiKey;
  const his = await stage.jobs.host.person.changePassword(EMAIL);
  await stage.jobs.person.editProfile(EMAIL, { website: 'https://mallory.example' });
  await stage.jobs.runCron();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
  await stage.settle();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
});

it('a row of which the peer takes no password', { timeout: 60_000 }, async () => {
  await make(true);
  const [account] = stage.jobs.accounts;
  (account as { columns?: readonly string[] }).columns = ['s_name', 's_phone_mobile', 's_website'];
  await stage.homes.host.person.editProfile(EMAIL, { website: 'https://victim.example' });
  await stage.settle();
  const his = await squatterActs();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
});

it('an entry that sends no password', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    async before({ homes, jobs }) {
      await victimOn(homes, EMAIL);
      await setValidation(jobs, false);
      await signUp({ host: jobs }, { email: EMAIL, name: 'Mallory' });
    },
    peerExtra: { 'homes.jobs': '    send_columns: [s_name, s_phone_mobile, s_website]\n' },
  });
  await stage.homes.host.person.editProfile(EMAIL, { website: 'https://victim.example' });
  await stage.settle();
  const his = await squatterActs();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
});
