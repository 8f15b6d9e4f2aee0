/** `account-sync parked [retry|drop ID]`: what waits for a person. */
import { listParked } from '../admin/parked.ts';
import type { ParkedEntry } from '../model/response-schemas.ts';
import { dropParkedEntry, retryParked } from '../admin/parked-actions.ts';
import type { Site } from '../site/site.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { localActor } from './actor.ts';
import { formatDuration, formatTable } from '../runtime/figures.ts';

/** Lists all; 3 if there is something. */
export async function listParkedEntries(flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site): Promise<ExitCode> => {
    const entries = await readAll(site);
    if (flags.json === true) writeJson(terminal, { parked: entries, next: null });
    else if (entries.length === 0) terminal.out('Nothing is parked.\n');
    else {
      const head = ['id', 'from/to', 'user', 'since', 'code', 'why'];
      terminal.out(`${formatTable([head, ...entries.map((entry) => rowOf(entry, Date.now()))])}\n`);
      terminal.err('\n');
      for (const [code, [entry]] of Map.groupBy(entries, (one) => one.code)) {
        terminal.err(`${code}: ${entry?.remedy ?? ''}\n`);
      }
      terminal.err('Then: account-sync parked retry ID. To give one up: account-sync parked drop ID.\n');
    }
    return entries.length > 0 ? 3 : 0;
  });
}

/** Tries one again; 3 if it stays parked, 1 if there is none of that id. */
export async function retryParkedEntry(parkedId: string, flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site): Promise<ExitCode> => {
    const outcome = await retryParked(site, parkedId, Date.now(), localActor());
    if (outcome === undefined) return nothing(parkedId, terminal);
    const { result, code, message } = outcome;
    if (flags.json === true) writeJson(terminal, { id: parkedId, ...outcome });
    else {
      const what = result === 'waiting' ? 'goes out with the next delivery' : result;
      const why = [code, message].filter((part) => part !== undefined).join(': ');
      terminal.out(`${parkedId}: ${what}${why === '' ? '' : ` (${why})`}\n`);
    }
    return result === 'parked' ? 3 : 0;
  });
}

/** Gives one up; 1 if there is none of that id. */
export async function dropOneParked(parkedId: string, flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site): Promise<ExitCode> => {
    if (!(await dropParkedEntry(site, parkedId, localActor()))) return nothing(parkedId, terminal);
    if (flags.json === true) writeJson(terminal, { id: parkedId, result: 'dropped' });
    else terminal.out(`${parkedId}: dropped\n`);
    return 0;
  });
}

async function readAll({ db, snapshot }: Site): Promise<ParkedEntry[]> {
  const entries: ParkedEntry[] = [];
  const deps = { db, userTable: () => snapshot().catalog.requireTable('t_user').name };
  for (let after: string | null | undefined; after !== null;) {
    const page = await listParked(deps, { limit: 1000, ...(after === undefined ? {} : { after }) });
    entries.push(...page.parked);
    after = page.next;
  }
  return entries;
}

function rowOf(entry: ParkedEntry, nowMs: number): string[] {
  const { id, direction, peer, kind, email, user_id: userId, code, message } = entry;
  const user = [email, userId === null ? null : `#${userId}`].filter((part) => part !== null).join(' ');
  const age = formatDuration(Math.max(0, (nowMs - Date.parse(entry.since)) / 1000));
  const who = kind === 'removal' ? `removal ${user}` : user;
  return [id, `${direction === 'in' ? 'from' : 'to'} ${peer}`, who.trim() || '?', `${age} ago`, code, message];
}

function nothing(parkedId: string, terminal: Terminal): ExitCode {
  terminal.err(`Nothing is parked under ${parkedId}; see "account-sync parked".\n`);
  return 1;
}
