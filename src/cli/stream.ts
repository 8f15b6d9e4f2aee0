/** `account-sync stream [PEER]`: sends now all that was changed before, beside a daemon or without one. */
import { isDrainedTo, lastMarker } from '../store/queue.ts';
import { fromSqlTime } from '../db/time.ts';
import { ERRORS, SyncError } from '../model/errors.ts';
import { firstDueSince, youngestWaiting } from '../outbox/waiting.ts';
import type { Site } from '../site/site.ts';
import { peerFacts } from '../daemon/wiring.ts';
import { pause, withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { finishScan } from './scan.ts';
import { count } from './text.ts';

/** What came of one peer. */
interface Sent {
  readonly peer: string;
  readonly sent: number;
  /** Afterwards, in its outbox. */
  readonly pending: number;
  readonly parked: number;
  readonly held: number;
  readonly problem: { readonly code: string; readonly message: string } | null;
}

/**
 * All that was changed before it began is sent when it ends with 0, but for what is parked or held. 1 if a peer could not be
 * reached, or if some of it still waits after 30 s.
 */
export async function stream(peer: string | undefined, flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, (site) => streamNow(site, peer, flags.json === true, terminal), { peer });
}

/** For accounts that people here or there are at just now, and for a daemon that is at it. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 200;

async function streamNow(site: Site, only: string | undefined, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const signal = terminal.untilStopped();
  if (site.config.capture.mode === 'scan') await site.scanning.request();
  if ((await finishScan(site, terminal)) === undefined) return 130;
  const peers = site.routes().filter((route) => only === undefined || route.name === only);
  const names = peers.filter((route) => route.send).map(({ name }) => name);
  const { drained, problems, late } = await sendAll(site, names, signal);
  if (signal.aborted) return 130;
  const results: Sent[] = [];
  for (const { name, pending, parked, held } of await site.status.summaries(peerFacts(site))) {
    const came = problems.get(name);
    if (came !== undefined) results.push({ peer: name, ...came, pending, parked, held });
  }
  if (json) writeJson(terminal, { drained, peers: results });
  else {
    terminal.out(`${count(drained, 'marker')} drained\n`);
    for (const result of results) terminal.out(`${line(result)}\n`);
  }
  for (const route of peers.filter((one) => !one.send)) terminal.err(`${route.name}: gets nothing (send: false)\n`);
  const code = results.find(({ problem }) => problem !== null)?.problem?.code;
  if (code !== undefined) terminal.err(`${ERRORS[code as keyof typeof ERRORS].remedy}\n`);
  else if (late)
    terminal.err('Not all that was changed before has been sent: "account-sync status" says why it waits.\n');
  return code !== undefined || late ? 1 : 0;
}

/** What was sent of what was there to be sent. */
interface Streamed {
  readonly drained: number;
  /** By peer. */
  readonly problems: ReadonlyMap<string, Pick<Sent, 'sent' | 'problem'>>;
  /** Something waits that did when it began, though no peer has a problem. */
  readonly late: boolean;
}

/**
 * Drains and delivers until nothing waits any more of what is there now. An account that is being changed all the time, here
 * or at the peer, is put off for a second or two, and whatever a daemon is sending just now is left to it: both are waited for.
 */
async function sendAll(site: Site, names: readonly string[], signal: AbortSignal): Promise<Streamed> {
  const { db } = site;
  const untilMs = Date.now() + PATIENCE_MS;
  const last = await lastMarker(db);
  const problems = new Map(names.map((name): [string, Pick<Sent, 'sent' | 'problem'>] => [name, NOTHING_SENT]));
  let drained = 0;
  let youngest: ReadonlyMap<string, string> | undefined;
  for (;;) {
    drained += await drainAll(site, signal);
    if (youngest === undefined && (await isDrainedTo(db, last))) youngest = await youngestWaiting(db);
    const well = [...problems].filter(([, { problem }]) => problem === null);
    const came = well.map(async ([name, before]) => {
      const { sent, problem } = await deliverAll(site, name, signal);
      problems.set(name, { sent: before.sent + sent, problem });
    });
    await Promise.all(came);
    const dueMs = youngest === undefined ? Date.now() : await firstDue(site, problems, youngest);
    if (dueMs === undefined || signal.aborted) return { drained, problems, late: false };
    if (Math.max(dueMs, Date.now()) > untilMs) return { drained, problems, late: true };
    await pause(LOOK_EVERY_MS, signal);
  }
}

const NOTHING_SENT = { sent: 0, problem: null };

/** When the first entry is due, in milliseconds since 1970, of those that waited then for peers without a problem. */
async function firstDue(
  { db }: Site,
  problems: Streamed['problems'],
  youngest: ReadonlyMap<string, string>,
): Promise<number | undefined> {
  const due: number[] = [];
  for (const [peer, changedAt] of youngest) {
    if (problems.get(peer)?.problem !== null) continue;
    const first = await firstDueSince(db, peer, changedAt);
    if (first !== null) due.push(fromSqlTime(first));
  }
  return due.length === 0 ? undefined : Math.min(...due);
}

async function drainAll(site: Site, signal: AbortSignal): Promise<number> {
  let drained = 0;
  for (let full = true; full && !signal.aborted;) {
    const pass = await site.drain(signal);
    drained += pass.done;
    full = pass.full;
  }
  return drained;
}

/** Delivers until nothing is due. What a person must mend here at home throws; the rest is told of the peer. */
async function deliverAll(site: Site, peer: string, signal: AbortSignal): Promise<Pick<Sent, 'sent' | 'problem'>> {
  let sent = 0;
  try {
    for (let full = true; full && !signal.aborted;) {
      const pass = await site.deliver(site.route(peer), signal);
      sent += pass.done;
      full = pass.full && pass.done > 0;
    }
    return { sent, problem: null };
  } catch (error) {
    if (signal.aborted) return { sent, problem: null };
    if (!(error instanceof SyncError) || error.code.startsWith('DB_')) throw error;
    return { sent, problem: { code: error.code, message: error.message } };
  }
}

function line({ peer, sent, pending, parked, held, problem }: Sent): string {
  const left = [`${pending} waiting`, `${parked} parked`, `${held} held`].filter((part) => !part.startsWith('0 '));
  return `${[`${peer}: ${sent} sent`, ...left].join(', ')}${problem === null ? '' : ` — ${problem.message}`}`;
}
