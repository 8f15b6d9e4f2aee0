/**
 * What Osclass fills at every registration, and the plugin does not: `s_secret`, which alone guards "delete my account"
 * of Osclass, and the id as user name, without which the profile address is that of the login page. Accounts that are made
 * there by a row of ours get both. No secret is remembered, neither ours nor theirs: only whether there is one. Pure.
 */
import type { Table } from '../db/catalog.ts';
import type { RandomBytes } from '../osclass/defaults.ts';
import {
  afterTelling,
  beforeTelling,
  BLANK,
  SOME_SECRET,
  impress,
  type Impression,
  type Memory,
} from '../model/plugin-memory.ts';
import type { Outgoing } from './record-to-row.ts';
import type { PluginRow } from './row.ts';

const SECRET = 's_secret';
const USERNAME = 's_username';

/**
 * Notes what a row of the peer lacks.
 *
 * @param after memory of the peer, changed here
 * @param isSettled nothing is on its way there, and the row is of the account that was there when the peer was told: what it
 *   lacks of what the peer was told, it did not store. Another account of the address never had the chance.
 * @param columns those of the two that this site looks after itself are none of this file's business
 * @returns true if the peer has to be told
 */
export function noteGaps(
  row: PluginRow,
  after: Map<string, Impression>,
  { isSettled, isAnother }: { readonly isSettled: boolean; readonly isAnother: boolean },
  isOurs: (column: string) => boolean,
): boolean {
  let isNeeded = false;
  for (const name of [SECRET, USERNAME].filter((one) => !isOurs(one))) {
    const before = after.get(name);
    if (!row.lacks.has(name)) {
      if (name === SECRET) after.set(name, { has: SOME_SECRET, maybe: [], said: true });
      // It got one there that this site does not take over.
      else if (before?.has === BLANK) after.delete(name);
      continue;
    }
    const isTold = before?.has !== undefined && before.has !== BLANK && before.said !== true;
    const refused = isTold && isSettled ? before.has : isAnother ? undefined : before?.refused;
    after.set(name, { has: BLANK, maybe: [], said: true, ...(refused === undefined ? {} : { refused }) });
    if (refused === undefined) isNeeded = true;
  }
  return isNeeded;
}

/** What completing a row takes. */
export interface Registering {
  readonly memory: Memory | undefined;
  /** Id of the account at the peer; null: it never said it. */
  readonly accountId: string | null;
  /** `t_user` of this site. */
  readonly table: Table;
  readonly randomBytes: RandomBytes;
  /** The row is whole, for a page of a feed. */
  readonly isPage: boolean;
}

/**
 * The row with a fresh secret where the account is new there, as far as anybody can know, or is known to have none; and with
 * the id that the account has there as its user name, where it is known to have none.
 */
export function withRegistration(
  outgoing: Outgoing,
  { memory, accountId, table, randomBytes, isPage }: Registering,
): Outgoing {
  const columns = new Map(outgoing.columns);
  const told = new Map(outgoing.told);
  const known = [...(memory?.values() ?? [])];
  const isUnheard = known.every(({ said }) => said !== true);
  // It was given a secret, but nobody knows whether that arrived, and the account with it.
  const isUnconfirmed = memory?.has(SECRET) === true && memory.get(SECRET)?.has === undefined;
  const isNew = known.every(({ has }) => has === undefined) || (isPage && isUnheard && isUnconfirmed);
  const isLacking = (name: string): boolean => memory?.get(name)?.has === BLANK;
  if (table.column(SECRET) !== undefined && !columns.has(SECRET) && (isNew || isLacking(SECRET))) {
    columns.set(SECRET, Buffer.from(randomBytes(20)).toString('hex'));
    told.set(SECRET, SOME_SECRET);
  }
  if (accountId !== null && !columns.has(USERNAME) && isLacking(USERNAME)) {
    columns.set(USERNAME, accountId);
    told.set(USERNAME, impress(USERNAME, accountId));
  }
  return { ...outgoing, columns, told };
}

/**
 * The memory after a page with these was given. That the page arrived, nobody says. What is another value there is seen
 * in the next row; but who has no secret then, or no user name, would be taken for one whose site refuses it.
 */
export function afterServing(memory: Memory | undefined, told: ReadonlyMap<string, string>): Memory {
  const isCompletion = ([name]: readonly [string, string]): boolean => name === SECRET || name === USERNAME;
  const [completing, rest] = [[...told].filter(isCompletion), [...told].filter((one) => !isCompletion(one))];
  return beforeTelling(afterTelling(memory, new Map(rest)), new Map(completing));
}
