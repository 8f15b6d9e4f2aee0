/** `account-sync logs`: the log records, the newest at the bottom as `tail` shows them. */
import type { LogPage, LogRecord } from '../model/response-schemas.ts';
import type { ActivityLog, LogFilter } from '../store/activity-log.ts';
import type { Site } from '../site/site.ts';
import { escapeOnOneLine } from '../runtime/escape-controls.ts';
import { pause, withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { followLog } from './log-follow.ts';

/** Flags of the command. */
export interface LogFlags extends DataOptions {
  readonly type?: 'FEED' | 'STREAM' | 'PROCESS';
  readonly peer?: string;
  readonly status?: string;
  readonly search?: string;
  readonly trace?: string;
  readonly limit?: number;
  readonly follow?: boolean;
}

const LIMIT = 50;
const POLL_MS = 500;

/**
 * Prints the last records that match; with `follow` goes on until stopped. As JSON it is one document, as `GET /v1/logs`
 * answers it, or with `follow` one record per line.
 */
export async function logs(flags: LogFlags, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, (site) => show(site, flags, terminal), { peer: flags.peer });
}

async function show(site: Site, flags: LogFlags, terminal: Terminal): Promise<ExitCode> {
  const { type, peer, status, search, trace, limit = LIMIT, follow = false, json = false } = flags;
  const filter: LogFilter = {
    ...(type === undefined ? {} : { type }),
    ...(peer === undefined ? {} : { peer }),
    ...(status === undefined ? {} : { status }),
    ...(search === undefined ? {} : { search }),
    ...(trace === undefined ? {} : { trace }),
  };
  const first = await newestRecords(site.activity, filter, limit);
  if (json && !follow) {
    writeJson(terminal, first);
    return 0;
  }
  const print = (record: LogRecord): void =>
    json ? writeJson(terminal, record, true) : terminal.out(`${line(record)}\n`);
  for (const record of first.logs.toReversed()) print(record);
  if (!follow) {
    if (first.logs.length === 0) terminal.err('No log record matches.\n');
    return 0;
  }
  const signal = terminal.untilStopped();
  const poll = followLog((page) => site.activity.query({ ...filter, ...page }), first.logs, performance.now());
  while (!signal.aborted) {
    for (const record of await poll(performance.now())) print(record);
    await pause(POLL_MS, signal);
  }
  return 0;
}

/** The newest that match, however far a search has to go. */
async function newestRecords(activity: ActivityLog, filter: LogFilter, limit: number): Promise<LogPage> {
  const found: LogRecord[] = [];
  let next: number | null = null;
  do {
    const before: Pick<LogFilter, 'before'> = next === null ? {} : { before: next };
    const page = await activity.query({ ...filter, ...before, limit: limit - found.length });
    found.push(...page.logs);
    next = page.next;
  } while (next !== null && found.length < limit);
  return { logs: found, next };
}

/** One record on one line. */
export function line({ date, type, peer, status, response, content }: LogRecord): string {
  const { email, userId, code } = content as { email?: string; userId?: number; code?: string };
  const who = [email, userId === undefined ? undefined : `#${userId}`].filter((part) => part !== undefined).join(' ');
  const head = `${date.slice(0, 10)} ${date.slice(11, 19)}Z`;
  const parts = [head, type.padEnd(7), (peer ?? '?').padEnd(8), status.padEnd(3), who, code ?? '', response];
  return escapeOnOneLine(parts.filter((part) => part !== '').join('  '));
}
