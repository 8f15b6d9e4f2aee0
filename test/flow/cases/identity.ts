/** Who is who: addresses, their changes, user names. */
import { expect } from 'vitest';
import type { Case } from './run-cases.ts';
import type { Side } from './stage.ts';

const emailOf = async (side: Side, name: string): Promise<unknown> =>
  (await side.sql('SELECT s_email FROM {user} WHERE s_name = ?', [name]))[0]?.['s_email'];
const count = async (side: Side, where: string, params: unknown[]): Promise<number> =>
  (await side.sql(`SELECT 1 FROM {user} WHERE ${where}`, params)).length;

/** Both became accounts before the sites met: the daemon of `b` hears of `a`'s in a record it did not know. */
export const identityCases: readonly Case[] = [
  {
    name: 'one address registered on both sites during a partition is one user',
    async play({ a, b, address, sync, same, later }) {
      const email = address();
      await a.host.person.register({ email, name: 'Ana of alpha', validation: false });
      await later();
      await b.host.person.register({ email, name: 'Ana of beta', validation: false });
      await sync();
      await same(email);
      expect(await a.row(email)).toMatchObject({ s_name: 'Ana of beta' });
      expect(await count(a, 's_email = ?', [email])).toBe(1);
    },
  },
  {
    name: 'an address in other letters and with blanks around it is the same person',
    async play({ a, b, address, sync }) {
      const email = address('case');
      const like = [`%${email}%`];
      await b.sql(
        `INSERT INTO {user} (dt_reg_date, s_name, s_username, s_password, s_email, b_active)
         VALUES (NOW(), 'Ana', '', LEFT(SHA2('x', 256), 40), ?, 1)`,
        [` ${email} `],
      );
      await (await b.site()).drain();
      await a.host.person.register({ email: email.toUpperCase(), name: 'Ana', validation: false });
      await sync();
      expect([await count(a, 's_email LIKE ?', like), await count(b, 's_email LIKE ?', like)]).toEqual([1, 1]);
      await b.sql(`UPDATE {user} SET s_phone_land = '77' WHERE s_email LIKE ?`, like);
      await sync();
      const [ana] = await a.sql('SELECT s_phone_land FROM {user} WHERE s_email LIKE ?', like);
      expect(ana).toEqual({ s_phone_land: '77' });
    },
  },
  {
    name: 'an address that comes with a blank in front is looked for without it',
    async play({ a, b, address, sync }) {
      const email = address('blank');
      const like = [`%${email}%`];
      await b.host.person.register({ email, name: 'Ana', validation: false });
      await a.host.person.register({ email: ` ${email}`, name: 'Ana', validation: false });
      await sync();
      expect([await count(a, 's_email LIKE ?', like), await count(b, 's_email LIKE ?', like)]).toEqual([1, 1]);
    },
  },
  {
    name: 'josé@ is not jose@, though the collation finds one by the other: parked, and neither is overwritten',
    async play({ a, b, address, sync }) {
      const plain = address('jose');
      const accented = plain.replace('jose', 'josé');
      await b.host.person.register({ email: accented, name: 'José', validation: false });
      await a.host.person.register({ email: plain, name: 'Jose', validation: false });
      await sync();
      expect(await a.sql('SELECT s_name, s_email FROM {user} WHERE s_email = ?', [plain])).toEqual([
        { s_name: 'Jose', s_email: plain },
      ]);
      expect(await b.sql('SELECT s_name, s_email FROM {user} WHERE s_email = ?', [plain])).toEqual([
        { s_name: 'José', s_email: accented },
      ]);
      expect([await a.parked(), await b.parked()]).toEqual([['EMAIL_TAKEN'], ['EMAIL_TAKEN']]);
    },
  },
  {
    name: 'what waits for an address goes through by itself when its holder is deleted',
    async play({ a, b, address, sync }) {
      const plain = address('jose');
      const accented = plain.replace('jose', 'josé');
      await b.host.person.register({ email: accented, name: 'José', validation: false });
      await a.host.person.register({ email: plain, name: 'Jose', validation: false });
      await sync();
      await b.host.person.deleteAccount(accented);
      await sync();
      expect(await b.row(plain)).toMatchObject({ s_email: plain, s_name: 'Jose' });
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'a change of address is a change of the same user',
    async play({ a, b, person, address, sync, same }) {
      const before = await person({ name: 'Mover' });
      const after = address('moved');
      const id = await b.host.idOf(before);
      await a.host.person.changeEmail(before, after);
      await sync();
      await same(before, after);
      expect(await b.row(after)).toMatchObject({ pk_i_id: id });
      expect(await count(b, 's_email = ?', [before])).toBe(0);
    },
  },
  {
    name: 'an address changed twice, and back, during a partition ends where it was',
    async play({ a, b, person, address, sync, same }) {
      const email = await person();
      const id = await b.host.idOf(email);
      const other = address('other');
      await a.host.person.changeEmail(email, other);
      await a.host.person.changeEmail(other, email);
      await sync();
      await same(email, other);
      await a.host.person.changeEmail(email, other);
      await sync();
      await b.host.person.changeEmail(other, email);
      await sync();
      await same(email, other);
      expect(await b.host.idOf(email)).toBe(id);
    },
  },
  {
    name: 'a chain of addresses, each taking the one before it let go, arrives as a chain',
    async play({ a, b, person, address, sync, same }) {
      const [one, two, three] = [
        await person({ name: 'Chain one' }),
        await person({ name: 'Chain two' }),
        await person({ name: 'Chain three' }),
      ];
      const free = address('free');
      await a.host.person.changeEmail(three, free);
      await a.host.person.changeEmail(two, three);
      await a.host.person.changeEmail(one, two);
      await sync();
      await same(one, two, three, free);
      const names = ['Chain one', 'Chain two', 'Chain three'];
      expect(await Promise.all(names.map((name) => emailOf(b, name)))).toEqual([two, three, free]);
    },
  },
  {
    name: 'two users swap their addresses',
    async play({ a, b, person, address, sync, same }) {
      const one = await person({ name: 'Swap one' });
      const two = await person({ name: 'Swap two' });
      const between = address('between');
      await a.host.person.changeEmail(one, between);
      await a.host.person.changeEmail(two, one);
      await a.host.person.changeEmail(between, two);
      await sync();
      await same(one, two, between);
      expect([await emailOf(b, 'Swap one'), await emailOf(b, 'Swap two')]).toEqual([two, one]);
    },
  },
  {
    name: 'a new address that somebody registered on the other site meanwhile: two accounts, equal on both sites, and neither lost',
    async play({ a, b, person, address, sync, same }) {
      const email = await person({ name: 'Mover' });
      const wanted = address('wanted');
      await b.host.person.register({ email: wanted, name: 'Registered', validation: false });
      const { s_password } = await b.row(wanted);
      await a.host.person.changeEmail(email, wanted);
      await sync();
      await same(email, wanted);
      expect(await b.row(wanted)).toMatchObject({ s_name: 'Registered', s_password });
      expect(await b.row(email)).toMatchObject({ s_name: 'Mover' });
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'the same where the receiver knows its own account already: held back first, equal at the end',
    async play({ a, b, person, address, sync, same }) {
      const email = await person({ name: 'Mover' });
      const wanted = address('wanted');
      await b.host.person.register({ email: wanted, name: 'Registered', validation: false });
      await (await b.site()).drain();
      await a.host.person.changeEmail(email, wanted);
      await a.set(wanted, 's_website', 'https://mover.example');
      const alpha = await a.site();
      await alpha.drain();
      await alpha.deliver(alpha.route('beta'));
      expect(await b.codes()).toContain('EMAIL_TAKEN');
      expect(await b.row(wanted)).toMatchObject({ s_name: 'Registered', s_website: '' });
      expect(await b.row(email)).toMatchObject({ s_name: 'Mover', s_website: 'https://mover.example' });
      await sync();
      await same(email, wanted);
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'two users that want one address on two sites during a partition: one has it everywhere, nobody is lost',
    async play({ a, b, person, address, sync }) {
      const one = await person({ name: 'Wants one' });
      const two = await person({ name: 'Wants two' });
      const wanted = address('wanted');
      await a.host.person.changeEmail(one, wanted);
      await b.host.person.changeEmail(two, wanted);
      await sync();
      expect(await count(a, `s_name IN ('Wants one', 'Wants two')`, [])).toBe(2);
      expect(await count(b, `s_name IN ('Wants one', 'Wants two')`, [])).toBe(2);
      expect([await a.parked(), await b.parked()]).toEqual([['EMAIL_TAKEN'], ['EMAIL_TAKEN']]);
      // One of them thinks better of it.
      await b.set(wanted, 's_email', two);
      await sync();
      expect([await emailOf(b, 'Wants one'), await emailOf(b, 'Wants two')]).toEqual([wanted, two]);
      expect([await emailOf(a, 'Wants one'), await emailOf(a, 'Wants two')]).toEqual([wanted, two]);
      expect([await a.parked(), await b.parked()]).toEqual([[], []]);
    },
  },
  {
    name: 'a change of letters and accents in an address is stored as it is, not held back by the collation',
    async play({ a, b, address, person, sync }) {
      const email = await person({ email: address('renee') });
      const accented = email.replace('renee', 'Renée');
      await a.set(email, 's_email', accented);
      await sync();
      const [row] = await b.sql('SELECT s_email FROM {user} WHERE s_email = ?', [email]);
      expect(row).toEqual({ s_email: accented });
      expect(await b.parked()).toEqual([]);
    },
  },
  {
    name: 'a user name that is only the own id stays at home; the new account is named by its own id',
    async play({ a, b, person }) {
      const email = await person();
      const [here, there] = [await a.row(email), await b.row(email)];
      expect([here['s_username'], there['s_username']]).toEqual([String(here['pk_i_id']), String(there['pk_i_id'])]);
    },
  },
  {
    name: 'a chosen user name travels, and so does giving it up',
    async play({ a, b, person, sync }) {
      const email = await person({ userName: 'ana-the-first' });
      expect(await b.row(email)).toMatchObject({ s_username: 'ana-the-first' });
      await a.set(email, 's_username', String((await a.row(email))['pk_i_id']));
      await sync();
      const there = await b.row(email);
      expect(there['s_username']).toBe(String(there['pk_i_id']));
    },
  },
  {
    name: 'a user name of digits never travels: it is the default name of somebody else',
    async play({ a, b, person, sync }) {
      const email = await person();
      await a.set(email, 's_username', '4294967000');
      await sync();
      const there = await b.row(email);
      expect(there['s_username']).toBe(String(there['pk_i_id']));
      expect(await b.codes()).toEqual(['USERNAME_TAKEN']);
    },
  },
  {
    name: 'a user name that another account has there: theirs is kept, and it is said',
    async play({ a, b, person, address, sync }) {
      const holder = address('holder');
      const email = await person();
      await b.host.person.register({ email: holder, name: 'Holder', userName: 'Wanted-Name', validation: false });
      await a.host.person.changeUserName(email, 'wanted-name');
      await sync();
      expect(await b.row(holder)).toMatchObject({ s_username: 'Wanted-Name' });
      const there = await b.row(email);
      expect(there['s_username']).toBe(String(there['pk_i_id']));
      expect(await b.codes()).toContain('USERNAME_TAKEN');
    },
  },
  {
    name: 'user names that change hands during a partition, in a chain and by a swap, do so together',
    async play({ a, person, sync, same, b }) {
      const names = ['first', 'second', 'third', 'left', 'right'].map((name) => `hand-${name}`);
      const emails: string[] = [];
      for (const userName of names) emails.push(await person({ userName }));
      const rename = (at: number, name: string): Promise<void> => a.set(emails[at] as string, 's_username', name);
      await rename(2, 'hand-free');
      await rename(1, 'hand-third');
      await rename(0, 'hand-second');
      await rename(3, 'hand-right');
      await rename(4, 'hand-left');
      await sync();
      await same(...emails);
      expect(await b.codes()).toEqual([]);
      expect((await b.row(emails[0] as string))['s_username']).toBe('hand-second');
    },
  },
  {
    name: 'a user name that its holder was to give up, and could not, is not taken from it',
    async play({ a, b, person, sync }) {
      const [one, two] = [await person({ userName: 'keeps-one' }), await person({ userName: 'keeps-two' })];
      const blocker = await person({ userName: 'keeps-free' }, b);
      await b.sql(`DELETE FROM oc_account_sync_outbox`);
      await b.set(blocker, 's_username', 'keeps-other');
      await a.set(blocker, 's_username', 'keeps-else');
      await a.set(two, 's_username', 'keeps-other');
      await a.set(one, 's_username', 'keeps-two');
      const site = await a.site();
      await site.drain();
      for (const route of site.routes()) await site.deliver(route);
      const names = await Promise.all([one, two].map(async (email) => (await b.row(email))['s_username']));
      expect(new Set(names).size).toBe(2);
      await sync();
      const all = await b.sql('SELECT s_username FROM {user} GROUP BY s_username HAVING COUNT(*) > 1');
      expect(all).toEqual([]);
    },
  },
  {
    name: 'two new accounts with one user name: both arrive, one of them named by its id',
    async play({ a, b, address, sync }) {
      const [one, two] = [address('twin'), address('twin')];
      for (const email of [one, two]) await a.host.person.register({ email, name: 'Twin', validation: false });
      await a.sql(`UPDATE {user} SET s_username = 'twins' WHERE s_email IN (?, ?)`, [one, two]);
      await sync();
      const names = [await b.row(one), await b.row(two)].map((row) => row['s_username'] === 'twins');
      expect(names.filter(Boolean)).toHaveLength(1);
      expect(await b.codes()).toContain('USERNAME_TAKEN');
    },
  },
];
