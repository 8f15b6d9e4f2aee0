/** The owner got the account back from somebody who registered it at a peer with the plugin, and who is still logged in there. */
import { afterEach, expect, it } from 'vitest';
import { makeAttackStage, victimOn, type AttackStage } from '../../support/attack-stage.ts';
import { resetByMail, setValidation, signUp } from '../../support/validation.ts';

const EMAIL = 'victim@example.com';
let stage: AttackStage;
afterEach(() => stage.close());

it('a removal from there waits: the owner reset it here', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    async before({ jobs }) {
      await setValidation(jobs, false);
    },
  });
  await signUp(stage.jobs, { email: EMAIL, name: 'Mallory' });
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toBeDefined();
  const owners = await resetByMail(stage.homes.host, EMAIL);
  await stage.settle();
  expect((await stage.jobs.host.user(EMAIL))?.s_password).toBe(owners);
  await stage.jobs.person.deleteAccount(EMAIL);
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
});

it('a removal from there waits: the account of here won there', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    async before({ homes, jobs }) {
      await setValidation(jobs, false);
      await victimOn(homes, EMAIL);
    },
  });
  await signUp(stage.jobs, { email: EMAIL, name: 'Mallory' });
  await stage.settle();
  const owners = (await stage.homes.host.user(EMAIL))?.s_password;
  expect((await stage.jobs.host.user(EMAIL))?.s_password).toBe(owners);
  await stage.jobs.person.deleteAccount(EMAIL);
  await stage.settle();
  expect(await stage.homes.host.user(EMAIL)).toMatchObject({ s_password: owners });
});

it('nor does the code of a change of address help there', { timeout: 60_000 }, async () => {
  stage = await makeAttackStage({
    async before({ homes, jobs }) {
      await setValidation(jobs, false);
      await victimOn(homes, EMAIL);
    },
  });
  await signUp(stage.jobs, { email: EMAIL, name: 'Mallory' });
  const code = await stage.jobs.host.person.requestEmailChange(EMAIL, 'mallory@example.com');
  await stage.settle();
  const owners = (await stage.homes.host.user(EMAIL))?.s_password;
  expect((await stage.jobs.host.user(EMAIL))?.s_password).toBe(owners);
  const his = await stage.jobs.host.person.resetPassword(EMAIL, code);
  await stage.jobs.person.editProfile(EMAIL, { website: 'https://mallory.example' });
  await stage.settle();
  expect((await stage.homes.host.user(EMAIL))?.s_password).not.toBe(his);
});
