/** `account-sync status`: one screen for a tired operator. Reads the database, so it works with and without the daemon. */
import { styleText } from 'node:util';
import { readStatus, type StatusDocument } from '../admin/status.ts';
import { entryOf, ERRORS, SyncError } from '../model/errors.ts';
import { GUARD_CLASSES } from '../model/guard.ts';
import type { PeerSummary } from '../model/response-schemas.ts';
import { escapeControlsIn, escapeOnOneLine } from '../runtime/escape-controls.ts';
import { formatCount, formatDuration, formatTable } from '../runtime/figures.ts';
import type { Site } from '../site/site.ts';
import { pause, withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';

/** Flags of the command. */
export interface StatusFlags extends DataOptions {
  readonly watch?: boolean;
}

const WATCH_EVERY_MS = 2_000;
/** Cursor home, then everything below it away: less flicker than an empty screen. */
const HOME = '\u001b[H\u001b[J';

/** 3 while something is parked or held, or all is stopped, else 0. With `watch` again and again until stopped; as JSON then one line each. */
export async function status(flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site) => {
    if (flags.watch === true) return await watch(site, flags, terminal);
    return show(await readStatus(site), flags, terminal);
  });
}

function show(document: StatusDocument, flags: StatusFlags, terminal: Terminal): ExitCode {
  if (flags.json === true) writeJson(terminal, document, flags.watch === true);
  else {
    const isScreen = flags.watch === true && terminal.isColoured;
    terminal.paint(`${isScreen ? HOME : ''}${statusScreen(document, Date.now(), terminal.isColoured)}`);
  }
  return document.parked + document.held > 0 || document.stopped !== null ? 3 : 0;
}

/** What cannot be read now is said, and read again: a screen that is watched outlives the database's restart. */
async function watch(site: Site, flags: StatusFlags, terminal: Terminal): Promise<ExitCode> {
  const signal = terminal.untilStopped();
  let code: ExitCode = 0;
  while (!signal.aborted) {
    try {
      code = show(await readStatus(site), flags, terminal);
    } catch (error) {
      if (!(error instanceof SyncError) || entryOf(error).reaction !== 'retry') throw error;
      terminal.err(`${error.code}: ${error.message}\n`);
    }
    await pause(WATCH_EVERY_MS, signal);
  }
  return code;
}

/** Green: nothing to do; yellow: it goes on by itself; red: a person is needed. */
type Colour = 'green' | 'yellow' | 'red';
type Paint = (colour: Colour, text: string) => string;

/**
 * Text: the verdict, the site, a table of peers, and what the person can do; plain unless `isColoured`. No other control
 * characters are in it, whatever peers said.
 */
export function statusScreen(said: StatusDocument, nowMs: number, isColoured = false): string {
  const document = escapeControlsIn(said);
  const paint: Paint = (colour, text) => (isColoured ? styleText(colour, text, { validateStream: false }) : text);
  const { site, daemon, baseline, queue, peers } = document;
  const age = queue.oldest_age === null ? '' : `, the oldest ${formatDuration(queue.oldest_age)} old`;
  const lines = [
    `${site}: ${paint(...verdict(document))}`,
    '',
    `daemon    ${daemon === 'seen' ? 'at work' : paint('red', 'not running')}`,
    `queue     ${formatCount(queue.depth, 'marker')}${age}`,
    `baseline  ${baseline === 'done' ? 'done' : 'not finished: the daemon, or account-sync install, goes on'}`,
    ...refusedEdit(document, nowMs, paint),
    ...stopped(document, paint),
    '',
  ];
  if (peers.length === 0) return `${[...lines, 'No peers in the config.'].join('\n')}\n`;
  const head = ['peer', 'pending', 'lag', 'parked', 'held', 'received', 'sent', 'fed up to', 'last call', 'status'];
  const rows = peers.map((peer) => [
    peer.name,
    peer.pending,
    peer.lag === 0 ? '-' : formatDuration(peer.lag),
    peer.parked,
    peer.held,
    peer.received_total,
    peer.sent_total,
    peer.last_user_id,
    peer.date === null ? 'never' : `${dateTime(peer.date)} (${since(peer.date, nowMs)} ago)`,
    peer.status ?? '-',
  ]);
  lines.push(formatTable([head, ...rows]), ...peers.flatMap((peer) => remarks(peer, nowMs, paint)));
  if (document.parked > 0) lines.push('', paint('red', 'What is parked waits for you: account-sync parked'));
  return `${lines.join('\n')}\n`;
}

function refusedEdit({ refused_edit: edit }: StatusDocument, nowMs: number, paint: Paint): string[] {
  if (edit === null) return [];
  return [
    `config    ${paint('red', `an edit was refused ${since(edit.since, nowMs)} ago`)}, the one before stays in force:`,
    ...edit.problems.split('\n').map((problem) => `            ${problem}`),
  ];
}

function stopped({ stopped: why }: StatusDocument, paint: Paint): string[] {
  if (why === null) return [];
  return [`stopped   ${paint('red', why)}`, `            ${ERRORS.RESTORED_OR_CLONED.remedy.replaceAll('`', '')}`];
}

function remarks(peer: PeerSummary, nowMs: number, paint: Paint): string[] {
  const lines: string[] = [];
  if (peer.failing_since !== null) {
    const fails = `${peer.name} fails for ${since(peer.failing_since, nowMs)}, since ${dateTime(peer.failing_since)}`;
    lines.push('', `${paint('yellow', fails)}: ${escapeOnOneLine(peer.message ?? 'no message')}`);
    lines.push('  entries wait and nothing is lost; account-sync check says what to do');
  }
  if (peer.feed_due) {
    const due = `a feed from ${peer.name} is due: account-sync feed ${peer.name}`;
    lines.push('', paint('yellow', due), `  ${peer.feed_due_reason ?? ''}`);
  }
  if (peer.unproven > 0) {
    const what = `${formatCount(peer.unproven, 'account')} of ${peer.name} unproven`;
    lines.push('', `${paint('yellow', what)}: an account here has the address, which nobody proved there`);
    lines.push('  they wait and nothing is lost; account-sync parked names them and says what to do');
  }
  if (peer.held > 0) {
    const held = GUARD_CLASSES.filter((name) => peer.held_by_class[name] > 0).map((name) => {
      return `${peer.held_by_class[name]} ${name}`;
    });
    const what = `${held.join(', ')} held for ${peer.name}`;
    lines.push('', `${paint('red', what)}; if they are right: account-sync approve ${peer.name}`);
  }
  return lines;
}

function verdict({ stopped: why, parked, held, daemon, baseline, queue, peers }: StatusDocument): [Colour, string] {
  if (why !== null) return ['red', 'restored, moved or cloned: nothing is sent or applied'];
  if (parked + held > 0) return ['red', 'something needs you'];
  if (daemon !== 'seen') return ['red', 'no daemon is at work'];
  if (peers.some((peer) => peer.failing_since !== null)) return ['yellow', 'a peer is away'];
  if (baseline !== 'done') return ['yellow', 'still looking at all users'];
  const waiting = queue.depth + peers.reduce((sum, peer) => sum + peer.pending, 0);
  return waiting > 0 ? ['yellow', 'changes are under way'] : ['green', 'all sent'];
}

/** `2024-05-01 10:00:00Z` */
function dateTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

function since(iso: string, nowMs: number): string {
  return formatDuration(Math.max(0, (nowMs - Date.parse(iso)) / 1000));
}
