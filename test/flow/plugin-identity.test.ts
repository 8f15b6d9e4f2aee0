/**
 * Whose account is it? On a site with the PHP plugin an address comes to another account: its owner deletes the one and
 * registers again, or gives it up and somebody else takes it. The plugin knows accounts by nothing but the address.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePluginMesh, type PluginMesh } from '../support/plugin-mesh.ts';

let mesh: PluginMesh;
let count = 0;

beforeAll(async () => {
  mesh = await makePluginMesh();
}, 60_000);
afterAll(() => mesh.close());

const address = (): string => `who${++count}@example.com`;
const atCars = (email: string): ReturnType<PluginMesh['cars']['host']['user']> => mesh.cars.host.user(email);
const atHomes = (email: string): ReturnType<PluginMesh['cars']['host']['user']> => mesh.homes.host.user(email);
const atJobs = (email: string): ReturnType<PluginMesh['cars']['host']['user']> => mesh.jobs.host.user(email);

/** Registered on jobs a year ago, and known everywhere. */
const oldAccount = async (email: string, at: 'jobs' | 'cars' = 'jobs'): Promise<void> => {
  const { host } = at === 'jobs' ? mesh.jobs : mesh.cars;
  const id = await host.person.register({ email, name: 'First', validation: false });
  await host.write("UPDATE {user} SET dt_reg_date = '2020-05-05 10:00:00' WHERE pk_i_id = ?", [id]);
  if (at === 'jobs') await mesh.jobs.person.editProfile(id, { name: 'First' });
  await mesh.settle();
};

const anew = async (email: string, name: string, validation = false): Promise<number> => {
  const id = await mesh.jobs.person.register({ email, name, validation });
  await mesh.jobs.host.items.post(id, { title: 'Mine' });
  return id;
};

const parked = async (): Promise<{ code: string }[]> =>
  mesh.cars.db.query<{ code: string }>("SELECT code FROM oc_account_sync_parked WHERE code = 'EMAIL_TAKEN'");

describe('an account that is deleted there and registered again before the next run', () => {
  it.each([
    ['active at once', 'jobs', false],
    ['not yet validated', 'jobs', true],
    ['active at once', 'cars', false],
    ['not yet validated', 'cars', true],
  ] as const)('lives on everywhere as the new one (%s; the first was made at %s)', async (_what, at, validation) => {
    const email = address();
    await oldAccount(email, at);
    const before = [(await atCars(email))?.pk_i_id, (await atHomes(email))?.pk_i_id];
    await mesh.jobs.person.deleteAccount(email);
    const id = await anew(email, 'Second', validation);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Second', s_password: (await atJobs(email))?.s_password });
    expect(await atHomes(email)).toMatchObject({ s_name: 'Second' });
    // It is a new account: what belonged to the deleted one went with that.
    expect(before).not.toContain((await atCars(email))?.pk_i_id);
    expect(await parked()).toEqual([]);
  });

  it('lives on though a feed brought it before', async () => {
    const email = address();
    await oldAccount(email);
    await mesh.jobs.person.deleteAccount(email);
    const id = await anew(email, 'Second');
    await mesh.refeed(mesh.cars);
    await mesh.work(mesh.cars);
    await mesh.refeed(mesh.homes);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Second' });
    await mesh.refeed(mesh.cars);
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
  });

  it('is removed when its owner deletes that too', async () => {
    const email = address();
    await oldAccount(email);
    await mesh.jobs.person.deleteAccount(email);
    await anew(email, 'Second');
    await mesh.jobs.runCron();
    await mesh.settle();
    await mesh.jobs.person.deleteAccount(email);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect([await atCars(email), await atHomes(email), await atJobs(email)]).toEqual([undefined, undefined, undefined]);
  });

  it('survives a removal of the first that was made here meanwhile', async () => {
    const email = address();
    await oldAccount(email);
    await mesh.jobs.person.deleteAccount(email);
    const id = await anew(email, 'Second');
    await mesh.cars.host.person.deleteAccount(email);
    await mesh.work(mesh.cars);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Second' });
  });

  it('survives where the row of the new one and its removal are all that was ever heard', async () => {
    const email = address();
    // Of the first, nobody else ever knew.
    await mesh.jobs.host.person.register({ email, name: 'First', validation: false });
    await mesh.jobs.person.deleteAccount(email);
    const id = await anew(email, 'Second');
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Second' });
  });
});

describe('an address that is given up there and taken by another person', () => {
  const moveAway = async (email: string, to: string): Promise<void> => {
    await mesh.jobs.host.person.changeEmail(email, to);
  };

  it('makes nobody another: the account here keeps its password, and is not written over the other there', async () => {
    const [email, other] = [address(), address()];
    await oldAccount(email);
    const before = await atCars(email);
    await moveAway(email, other);
    const id = await anew(email, 'Somebody else');
    await mesh.jobs.runCron();
    await mesh.settle();
    await mesh.cars.host.person.editProfile(email, { name: 'First, edited' });
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({
      pk_i_id: before?.pk_i_id,
      s_name: 'First, edited',
      s_password: before?.s_password,
      dt_reg_date: before?.dt_reg_date,
    });
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Somebody else', i_items: 1 });
    const waiting = await mesh.cars.db.query<{ code: string }>(
      "SELECT code FROM oc_account_sync_outbox WHERE peer = 'jobs' AND kind = 'u'",
    );
    expect(waiting).toEqual([{ code: 'EMAIL_TAKEN' }]);
    expect(await parked()).toEqual([{ code: 'EMAIL_TAKEN' }]);
    // So it stays, however long it waits.
    await mesh.cars.db.query('UPDATE oc_account_sync_parked SET created_at = created_at - INTERVAL 1 DAY');
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ s_password: before?.s_password });

    // The person removes the account here: that is not the one at jobs, which then comes.
    await mesh.cars.host.person.deleteAccount(email);
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Somebody else', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Somebody else' });
    expect(await parked()).toEqual([]);
  });

  it('and who gave it up is not removed when that person deletes the account', async () => {
    const [email, other] = [address(), address()];
    await oldAccount(email);
    await moveAway(email, other);
    await anew(email, 'Somebody else');
    await mesh.jobs.runCron();
    await mesh.settle();
    await mesh.jobs.person.deleteAccount(email);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ s_name: 'First' });
    expect(await parked()).toEqual([]);
  });

  it.each(['said', 'never said'])(
    'and who gave it up lives on where that person came and went unheard (his id was %s)',
    async (said) => {
      const [email, other] = [address(), address()];
      await oldAccount(email, said === 'said' ? 'jobs' : 'cars');
      await moveAway(email, other);
      await mesh.jobs.person.register({ email, name: 'Somebody else', validation: false });
      await mesh.jobs.person.deleteAccount(email);
      await mesh.jobs.runCron();
      await mesh.settle();
      expect(await atCars(email)).toMatchObject({ s_name: 'First' });
      expect(await atHomes(email)).toMatchObject({ s_name: 'First' });
      expect(await atJobs(other)).toMatchObject({ s_name: 'First' });
    },
  );

  it('goes through by itself once the account here has that other address too', async () => {
    const [email, other] = [address(), address()];
    await oldAccount(email);
    const before = await atCars(email);
    await moveAway(email, other);
    await anew(email, 'Somebody else');
    await mesh.jobs.runCron();
    await mesh.settle();
    await mesh.cars.host.person.changeEmail(email, other);
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ s_name: 'Somebody else' });
    expect(await atCars(other)).toMatchObject({ pk_i_id: before?.pk_i_id, s_password: before?.s_password });
    expect(await atJobs(email)).toMatchObject({ s_name: 'Somebody else' });
    expect(await atJobs(other)).toMatchObject({ s_name: 'First' });
  });
});

describe('an address that is given up here and taken by another person', () => {
  it('does not make the account there another', async () => {
    const [email, other] = [address(), address()];
    await oldAccount(email);
    const before = await atJobs(email);
    await mesh.cars.host.person.changeEmail(email, other);
    await mesh.settle();
    await mesh.cars.host.person.register({ email, name: 'Somebody else', validation: false });
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({
      pk_i_id: before?.pk_i_id,
      s_name: 'First',
      s_password: before?.s_password,
    });
    // Nor does an edit there come to that person here.
    await mesh.jobs.person.editProfile(email, { name: 'First, edited' });
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ s_name: 'Somebody else' });
    // The old account there is removed by hand, as the documentation says: then the other one comes.
    await mesh.jobs.person.deleteAccount(email);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(other)).toMatchObject({ s_name: 'First' });
    expect(await atCars(email)).toMatchObject({ s_name: 'Somebody else' });
    expect(await atJobs(email)).toMatchObject({ s_name: 'Somebody else' });
  });
});

describe('accounts that only look like others', () => {
  it('a table that was renumbered there is one of the same people', async () => {
    const email = address();
    await oldAccount(email);
    const before = await atCars(email);
    await mesh.jobs.host.write('DELETE FROM {user_description}');
    await mesh.jobs.host.write('UPDATE {user} SET pk_i_id = pk_i_id + 5000 WHERE s_email = ?', [email]);
    await mesh.jobs.person.editProfile(email, { name: 'Renumbered' });
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ pk_i_id: before?.pk_i_id, s_name: 'Renumbered' });
    expect(await parked()).toEqual([]);
  });

  it('a date of registration that another plugin overwrote there changes nobody', async () => {
    const email = address();
    await oldAccount(email);
    const before = await atCars(email);
    await mesh.jobs.host.write("UPDATE {user} SET dt_reg_date = '2021-01-01 00:00:00' WHERE s_email = ?", [email]);
    await mesh.jobs.person.editProfile(email, { name: 'Dated again' });
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(email)).toMatchObject({ pk_i_id: before?.pk_i_id, s_name: 'Dated again' });
    await mesh.jobs.person.deleteAccount(email);
    await mesh.jobs.runCron();
    await mesh.settle();
    expect(await atCars(email)).toBeUndefined();
  });

  it('somebody who registered in the same second is not who was removed: the removal of either reaches the peer', async () => {
    const emails = [address(), address()];
    for (const email of emails) await mesh.cars.host.person.register({ email, name: 'First', validation: false });
    await mesh.cars.host.write("UPDATE {user} SET dt_reg_date = '2020-06-06 10:00:00' WHERE s_email IN (?, ?)", emails);
    await mesh.settle();
    for (const email of emails.toReversed()) {
      await mesh.cars.host.person.deleteAccount(email);
      await mesh.settle();
      expect(await atJobs(email)).toBeUndefined();
    }
  });

  it('a removal is repeated to a peer that still has the account, and to no other account of the address', async () => {
    const email = address();
    await oldAccount(email);
    await mesh.cars.host.person.deleteAccount(email);
    await mesh.settle();
    expect(await atJobs(email)).toBeUndefined();
    const id = await anew(email, 'Second');
    await mesh.jobs.runCron();
    await mesh.settle();
    await mesh.refeed(mesh.cars);
    await mesh.settle();
    expect(await atJobs(email)).toMatchObject({ pk_i_id: id, s_name: 'Second', i_items: 1 });
    expect(await atCars(email)).toMatchObject({ s_name: 'Second' });
  });
});
