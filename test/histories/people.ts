/** What people do on a site of a history, written to its database as Osclass would, with the markers of the triggers. */
import type { Value } from '../../src/model/register.ts';
import type { HostRow, Memory } from './memory/database.ts';
import { emailOfRow, folded, isSquattersHash, LOCALES, SQUATTERS_HASH } from './memory/host.ts';
import type { Ledger } from './ledger.ts';
import { proofOn } from './proof-on.ts';
import type { HostOperation } from './operation.ts';

const PEOPLE = ['ana', 'bob', 'eve', 'joe', 'liz', 'tom'];

/** How many addresses a person has, where people keep to their own. */
const OWN_ADDRESSES = 3;

/** The address of a number; some differ only by case from others. Each three in a row are one person's. */
export function addressOf(email: number, n: number): string {
  const person = PEOPLE[Math.floor(email / OWN_ADDRESSES) % PEOPLE.length] ?? 'max';
  const name = `${person}${email % OWN_ADDRESSES}`;
  return `${n % 5 === 0 ? name.toUpperCase() : name}@x.org`;
}

/** Whose address it is. */
export function personOf(email: string): string {
  return email.slice(0, 3).toLowerCase();
}

/** What can be edited; descriptions come and go. */
const EDITABLE = ['s_name', 's_name', 's_password', 's_phone_mobile', 'en_US', 'en_US', 'es_ES', 'no es_ES'];

/** Carries one operation out. Returns what was done in words; undefined if it was not possible. */
export function act(
  memory: Memory,
  ledger: Ledger,
  site: string,
  operation: HostOperation,
  isPrivate: boolean,
): string | undefined {
  const { rows } = memory.tables;
  const users = [...rows.values()].toSorted((a, b) => a.id - b.id);
  const pick = (who: number): HostRow | undefined => users[who % Math.max(1, users.length)];
  const holderOf = (email: string): HostRow | undefined =>
    users.find((row) => folded(emailOfRow(row)) === folded(email));

  if (operation.do === 'register') {
    const email = addressOf(operation.email, ledger.next());
    if (holderOf(email) !== undefined) return undefined;
    const row = register(memory, ledger, email, memory.nowMs());
    return `${nameOf(row)} registers`;
  }
  if (operation.do === 'validate') {
    memory.validates = operation.isOn;
    return operation.isOn ? 'validates addresses' : 'validates no addresses';
  }
  if (operation.do === 'squat') {
    const email = addressOf(operation.email, ledger.next());
    if (holderOf(email) !== undefined) return undefined;
    return `${nameOf(squat(memory, ledger, email))} is registered by somebody else`;
  }
  const row = pick(operation.who);
  if (row === undefined) return undefined;
  const email = emailOfRow(row);
  if (isSquatters(row) && !OF_SQUATTERS.includes(operation.do)) return undefined;
  switch (operation.do) {
    case 'activate':
      if (isSquatters(row) || row.columns['b_active'] === '1') return undefined;
      writeColumns(memory, ledger, row, { b_active: '1' });
      return `${nameOf(row)} is activated`;
    case 'request':
      return requestReset(memory, ledger, row) === undefined ? undefined : `${nameOf(row)} is mailed a link`;
    case 'reset':
      return reset(memory, ledger, row) === undefined ? undefined : `${nameOf(row)} gets a password by mail`;
    case 'session':
      return haunt(memory, ledger, row, operation.removes);
    case 'edit': {
      const what = EDITABLE[operation.what % EDITABLE.length] as string;
      const n = ledger.next();
      const hash = isSquatters(row) ? squattersHashOf(n) : hashOf(n);
      const value = what === 's_password' ? hash : `${what}-${n}`;
      if (what.startsWith('no ')) {
        const locale = what.slice(3);
        if (!row.texts.has(locale)) return undefined;
        writeText(memory, ledger, row, locale, undefined);
      } else if (LOCALES.includes(what)) writeText(memory, ledger, row, what, value);
      else writeColumns(memory, ledger, row, { [what]: value });
      return `${nameOf(row)} sets ${value}`;
    }
    case 'block': {
      const enabled = row.columns['b_enabled'] === '1' ? '0' : '1';
      writeColumns(memory, ledger, row, { b_enabled: enabled });
      return `${nameOf(row)} is ${enabled === '1' ? 'enabled' : 'blocked'}`;
    }
    case 'move': {
      // Where addresses are validated nobody takes one that is not his.
      const isOwn = isSquatters(row) && memory.validates;
      const free = addressOf(ownAddress(row, operation.email, isPrivate), ledger.next());
      const to = isOwn ? `${SQUATTERS}-${ledger.next()}@x.org` : free;
      const holder = holderOf(to);
      if ((holder !== undefined && holder !== row) || to === email) return undefined;
      ledger.moved(site, row, to, proofOn(memory, site, row) === null);
      writeColumns(memory, ledger, row, { s_email: to });
      return `${nameOf(row)} moves to ${to}`;
    }
    case 'swap': {
      const other = pick(operation.other);
      if (other === undefined || other === row || isSquatters(other)) return undefined;
      if (isPrivate && personOf(emailOfRow(other)) !== personOf(email)) return undefined;
      ledger.moved(site, row, emailOfRow(other), proofOn(memory, site, row) === null);
      ledger.moved(site, other, email, proofOn(memory, site, other) === null);
      writeColumns(memory, ledger, row, { s_email: `swap-${ledger.next()}@x.org` });
      writeColumns(memory, ledger, other, { s_email: email });
      writeColumns(memory, ledger, rows.get(row.id) as HostRow, { s_email: emailOfRow(other) });
      return `${nameOf(row)} and ${nameOf(other)} swap`;
    }
    case 'remove':
      if (isSquatters(row)) removeBySquatter(memory, ledger, row);
      else remove(memory, ledger, row);
      return `${nameOf(row)} is removed`;
    case 'renew': {
      remove(memory, ledger, row);
      const fresh = register(memory, ledger, email, memory.nowMs());
      return `${nameOf(row)} is removed and registers again as ${nameOf(fresh)}`;
    }
    case 'reuse': {
      const to = addressOf(operation.email, ledger.next());
      if (holderOf(to) !== undefined) return undefined;
      remove(memory, ledger, row);
      const fresh = register(memory, ledger, to, memory.nowMs(), row.id);
      return `${nameOf(row)} is removed and its id goes to ${nameOf(fresh)}`;
    }
    case 'replace': {
      rows.delete(row.id);
      ledger.replaced(row);
      memory.mark(row.id, 'D', email);
      const id = memory.next();
      rows.set(id, { ...row, id });
      memory.mark(id, 'I', null);
      return `${nameOf(row)} is replaced by #${id}`;
    }
    case 'renumber': {
      const other = pick(operation.other);
      if (other === undefined || other === row) {
        const id = renumber(memory, row.id, memory.next());
        return `${nameOf(row)} gets the id ${id}`;
      }
      const between = renumber(memory, row.id, memory.next());
      renumber(memory, other.id, row.id);
      renumber(memory, between, other.id);
      return `${nameOf(row)} and ${nameOf(other)} change ids`;
    }
    default:
      operation satisfies never;
      return undefined;
  }
}

/** How the addresses begin of people who registered with one that is not theirs. */
export const SQUATTERS = 'evil';

/** What such people can do, and what is done to them. */
const OF_SQUATTERS: readonly HostOperation['do'][] = ['edit', 'block', 'move', 'remove', 'request', 'reset'];

/** True if it is not the owner of the address who can log in. */
export function isSquatters(row: HostRow): boolean {
  return isSquattersHash(row.columns['s_password']);
}

function squat(memory: Memory, ledger: Ledger, email: string): HostRow {
  const row = register(memory, ledger, email, memory.nowMs());
  const columns = { s_password: squattersHashOf(ledger.next()), b_active: memory.validates ? '0' : '1' };
  const his = { ...row, columns: { ...row.columns, ...columns } };
  memory.tables.rows.set(row.id, his);
  return his;
}

/** Osclass mails a link to whoever has an account that is not blocked. */
function requestReset(memory: Memory, ledger: Ledger, row: HostRow): HostRow | undefined {
  if (row.columns['b_enabled'] !== '1') return undefined;
  // The next code takes the place of what tells of the reset.
  const isUnseen = [...memory.tables.queue.values()].some(({ userId }) => userId === row.id);
  if (row.reset?.isDone === true && isUnseen) ledger.resetUnseen(row, true);
  const code = String(ledger.next()).padStart(30, 'c');
  const asked = { ...row, reset: { code, isDone: false } };
  memory.tables.rows.set(row.id, asked);
  memory.mark(row.id, 'U', null);
  return asked;
}

/** The link sets a password, whoever had the account; one who did may be logged in still. */
function reset(memory: Memory, ledger: Ledger, row: HostRow): HostRow | undefined {
  const asked = requestReset(memory, ledger, row);
  if (asked === undefined) return undefined;
  ledger.resetUnseen(row, false);
  const code = String(ledger.next()).padStart(50, 'd');
  writeColumns(memory, ledger, { ...asked, reset: { code, isDone: true } }, { s_password: hashOf(ledger.next()) });
  return asked;
}

/** The owner of a mailbox sets a password by the link in a mail. False if nobody here has the address, or he is blocked. */
export function proveByMail(memory: Memory, ledger: Ledger, email: string): boolean {
  const row = [...memory.tables.rows.values()].find((one) => folded(emailOfRow(one)) === email);
  return row !== undefined && reset(memory, ledger, row) !== undefined;
}

/** Once: then he is found out. */
function haunt(memory: Memory, ledger: Ledger, row: HostRow, removes: boolean): string | undefined {
  if (row.isHaunted !== true) return undefined;
  const rest = { ...row, isHaunted: false };
  if (removes) {
    removeBySquatter(memory, ledger, row);
    return `${nameOf(row)} is removed by who lost it`;
  }
  if (memory.validates) return undefined;
  const to = `${SQUATTERS}-${ledger.next()}@x.org`;
  writeColumns(memory, ledger, rest, { s_email: to });
  return `${nameOf(row)} is given the address ${to} by who lost it`;
}

/** It says nothing of the owner's wishes. */
function removeBySquatter(memory: Memory, ledger: Ledger, row: HostRow): void {
  memory.tables.rows.delete(row.id);
  memory.mark(row.id, 'D', emailOfRow(row));
  ledger.removedBySquatter(row);
}

/** Whoever has an address gets another, which nobody ever had. Returns that; undefined if nobody has it. */
export function giveAnother(memory: Memory, ledger: Ledger, site: string, email: string): string | undefined {
  const row = [...memory.tables.rows.values()].find((one) => folded(emailOfRow(one)) === email);
  if (row === undefined) return undefined;
  const to = `${personOf(email)}-other-${ledger.next()}@x.org`;
  ledger.moved(site, row, to, proofOn(memory, site, row) === null);
  writeColumns(memory, ledger, row, { s_email: to });
  return to;
}

/** An account as a trace names it: `#7 ana@x.org`. */
export function nameOf(row: HostRow): string {
  return `#${row.id} ${emailOfRow(row)}`;
}

/** Another one for each number: one of an old version of Osclass. */
function hashOf(n: number): string {
  return n.toString(16).padStart(40, 'a');
}

function squattersHashOf(n: number): string {
  return `${SQUATTERS_HASH}${hashOf(n).slice(SQUATTERS_HASH.length)}`;
}

/** A new account. */
export function register(
  memory: Memory,
  ledger: Ledger,
  email: string,
  atMs: number,
  id: number = memory.next(),
  registration?: string,
): HostRow {
  const n = ledger.next();
  const date = registration ?? `${atMs}#${n}`;
  const columns = {
    s_email: email,
    s_name: `name-${n}`,
    s_password: hashOf(n),
    s_phone_mobile: null,
    b_enabled: '1',
    b_active: '1',
    dt_reg_date: date,
  };
  const row: HostRow = { id, columns, texts: new Map(), lineage: new Set([date]) };
  memory.tables.rows.set(id, row);
  memory.mark(id, 'I', null);
  return row;
}

/** `UPDATE t_user SET pk_i_id = …`; descriptions follow with `ON UPDATE CASCADE`, for which no trigger fires. */
function renumber(memory: Memory, from: number, to: number): number {
  const { rows } = memory.tables;
  const row = rows.get(from) as HostRow;
  rows.delete(from);
  rows.set(to, { ...row, id: to });
  memory.mark(to, 'U', null, from);
  return to;
}

function remove(memory: Memory, ledger: Ledger, row: HostRow): void {
  memory.tables.rows.delete(row.id);
  memory.mark(row.id, 'D', emailOfRow(row));
  ledger.removed(row);
  // Such an address is the squatter's own mailbox: who set a password by mail there is he, and what he removes is what he registered,
  // also where that still has the other's address.
  if (emailOfRow(row).startsWith(SQUATTERS)) ledger.removedBySquatter(row);
}

function writeColumns(memory: Memory, ledger: Ledger, row: HostRow, columns: Record<string, Value>): void {
  const edited = isSquatters(row) ? ledger.editedBySquatter : ledger.edited;
  for (const [name, value] of Object.entries(columns)) edited(row.columns[name] ?? null, value);
  memory.tables.rows.set(row.id, { ...row, columns: { ...row.columns, ...columns } });
  memory.mark(row.id, 'U', null);
}

function writeText(memory: Memory, ledger: Ledger, row: HostRow, locale: string, text: string | undefined): void {
  const texts = new Map(row.texts);
  const edited = isSquatters(row) ? ledger.editedBySquatter : ledger.edited;
  edited(texts.get(locale) ?? null, text ?? null);
  if (text === undefined) texts.delete(locale);
  else texts.set(locale, text);
  memory.tables.rows.set(row.id, { ...row, texts });
  memory.mark(row.id, 'R', null);
}

/** The number of the address that an account moves to: any, or one of its owner's. */
function ownAddress(row: HostRow, email: number, isPrivate: boolean): number {
  if (!isPrivate) return email;
  const person = PEOPLE.indexOf(personOf(emailOfRow(row)));
  return person * OWN_ADDRESSES + (email % OWN_ADDRESSES);
}
