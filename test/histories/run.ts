/** Runs one history and says what went wrong. */
import { COLUMNS, emailOfRow, folded, textOf } from './memory/host.ts';
import type { HostRow } from './memory/database.ts';
import type { History } from './operation.ts';
import { proofOn } from './proof-on.ts';
import { Flaw, makeWorld, START_MS, unprovenOn, type World } from './world.ts';

/** A decision may show that another is needed; after so many all should be done. */
const MOST_DECISIONS = 5;

/** How a history ended. */
export interface Ending {
  /** What went wrong, or undefined. */
  readonly flaw: string | undefined;
  /** Two living accounts wanted one address: a person had to decide. */
  readonly contested: boolean;
}

/** Runs a history to its end. `tell` gets a line for each thing that happens. */
export async function runHistory(
  history: History,
  tell: (line: () => string) => void = () => undefined,
): Promise<Ending> {
  const world = makeWorld(history, tell);
  const rest = async (): Promise<void> => {
    await world.rest();
    check(world);
  };
  // Somebody else may have registered an address that goes back to its owner.
  const decide = async (): Promise<void> => {
    for (let round = 0; round < MOST_DECISIONS && world.decide() > 0; round++) await rest();
  };
  let flaw: string | undefined;
  let contested = false;
  try {
    await world.start();
    for (const operation of history.operations) {
      if (operation.do === 'rest') await rest();
      else await world.perform(operation);
    }
    await rest();
    contested = contestedAddresses(world).size > 0;
    await decide();
    for (let round = 0; round < MOST_DECISIONS && world.prove() > 0; round++) {
      await rest();
      await decide();
    }
    if (contestedAddresses(world).size > 0) throw new Flaw('a person who decides about an address does not end it');
  } catch (error) {
    flaw = error instanceof Flaw ? error.message : error instanceof Error ? (error.stack ?? error.message) : 'unknown';
  }
  return { flaw, contested };
}

function check(world: World): void {
  const contents = world.sites.map(({ memory }) => accountsOf(memory.tables.rows.values()));
  const emails = [...new Set(contents.flatMap((accounts) => [...accounts.keys()]))].toSorted();
  const contested = new Set([...contestedAddresses(world), ...unprovenAddresses(world)]);
  const differences = emails.flatMap((email) => {
    const states = new Map(contents.map((accounts, index) => [show(accounts.get(email)), world.sites[index]?.name]));
    if (states.size === 1 || contested.has(email)) return [];
    // Feeds leave blocked accounts out, so not everybody hears all of those that were there before.
    const isBlocked = contents.some((accounts) => accounts.get(email)?.columns['b_enabled'] === '0');
    const wasThere = contents.some((accounts) => [...(accounts.get(email)?.lineage ?? [])].some(isOfBefore));
    if (isBlocked && wasThere) return [];
    // Nor does a site that was installed again know such an account as that of the others, or they know which it moves or removes.
    const isNobody = contents.some((accounts) => !accounts.has(email));
    const wasForgotten = contents.some((accounts) =>
      [...(accounts.get(email)?.lineage ?? [])].some((registration) => world.forgotten.has(registration)),
    );
    if (isNobody && wasForgotten) return [];
    return [[...states].map(([state, site]) => `${email} on ${site}: ${state}`).join('\n  ')];
  });
  if (differences.length > 0) throw new Flaw(`the sites differ\n  ${differences.join('\n  ')}`);
  if (contested.size > 0) return;
  const accounts = new Map(emails.map((email) => [email, contents.flatMap((site) => site.get(email) ?? [])] as const));
  const proved = world.sites.flatMap(({ name, memory }) =>
    [...memory.tables.rows.values()].filter((row) => proofOn(memory, name, row) !== null),
  );
  const lost = world.ledger.whatWasLost(accounts, new Set(proved));
  if (lost.length > 0) throw new Flaw(lost.join('\n'));
}

/** Addresses of accounts that wait, for nobody proved that they are one. */
function unprovenAddresses(world: World): Set<string> {
  return new Set(world.sites.flatMap(({ memory }) => [...unprovenOn(memory)]));
}

/** True if who registered then was there when the history began. */
function isOfBefore(registration: string): boolean {
  return Number.parseInt(registration, 10) <= START_MS;
}

function accountsOf(rows: Iterable<HostRow>): Map<string, HostRow> {
  return new Map([...rows].map((row) => [folded(emailOfRow(row)), row] as const));
}

/**
 * Addresses of accounts that a person has to decide about: those in records parked as `EMAIL_TAKEN`, and all that the
 * accounts which such records name have anywhere.
 */
function contestedAddresses(world: World): Set<string> {
  const records = world.sites.flatMap(({ memory }) =>
    [...memory.tables.parked.values()].filter((row) => row.code === 'EMAIL_TAKEN').map((row) => row.record),
  );
  const contested = new Set(records.flatMap((record) => (record.kind === 'user' ? [folded(record.email)] : [])));
  const uids = new Set<string>(records.flatMap((record) => record.uids));
  for (const { memory } of world.sites) {
    for (const { userId, uids: own } of memory.tables.users.values()) {
      const row = memory.tables.rows.get(userId);
      if (row !== undefined && own.some((uid) => uids.has(uid))) contested.add(folded(emailOfRow(row)));
    }
  }
  return contested;
}

function show(row: HostRow | undefined): string {
  if (row === undefined) return 'nobody';
  const texts = [...row.texts].map(([locale, text]) => `${locale}=${text}`).toSorted();
  return [...COLUMNS.map((column) => textOf(row.columns[column])), ...texts].join(' ');
}
