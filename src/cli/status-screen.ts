/** The screen of `account-sync status`. Pure. */
import type { PeerSummary } from '../ops/peer-status.ts';
import type { StatusDocument } from './status.ts';
import { count, duration, table } from './text.ts';

/** Plain text: the verdict, the site, a table of peers, and what the person can do. */
export function statusScreen(document: StatusDocument, nowMs: number): string {
  const { site, daemon, baseline, queue, peers } = document;
  const age = queue.oldest_age === null ? '' : `, the oldest ${duration(queue.oldest_age)} old`;
  const lines = [
    `${site}: ${verdict(document)}`,
    '',
    `daemon    ${daemon === 'seen' ? 'at work' : 'not running'}`,
    `queue     ${count(queue.depth, 'marker')}${age}`,
    `baseline  ${baseline === 'done' ? 'done' : 'not finished: the daemon, or account-sync install, goes on'}`,
    ...refusedEdit(document, nowMs),
    '',
  ];
  if (peers.length === 0) return `${[...lines, 'No peers in the config.'].join('\n')}\n`;
  const head = ['peer', 'pending', 'lag', 'parked', 'held', 'fed up to', 'last call', 'status'];
  const rows = peers.map((peer) => [
    peer.name,
    peer.pending,
    peer.lag === 0 ? '-' : duration(peer.lag),
    peer.parked,
    peer.held,
    peer.last_user_id,
    peer.date === null ? 'never' : `${dateTime(peer.date)} (${since(peer.date, nowMs)} ago)`,
    peer.status ?? '-',
  ]);
  lines.push(table([head, ...rows]), ...peers.flatMap((peer) => remarks(peer, nowMs)));
  if (document.parked > 0) lines.push('', 'What is parked waits for you: account-sync parked');
  return `${lines.join('\n')}\n`;
}

function refusedEdit({ refused_edit: edit }: StatusDocument, nowMs: number): string[] {
  if (edit === null) return [];
  return [
    `config    an edit was refused ${since(edit.since, nowMs)} ago, the one before stays in force:`,
    ...edit.problems.split('\n').map((problem) => `            ${problem}`),
  ];
}

function remarks(peer: PeerSummary, nowMs: number): string[] {
  const lines: string[] = [];
  if (peer.failing_since !== null) {
    lines.push('', `${peer.name} fails for ${since(peer.failing_since, nowMs)}: ${peer.message ?? 'no message'}`);
    lines.push('  entries wait and nothing is lost; account-sync check says what to do');
  }
  if (peer.held > 0) {
    lines.push('', `${peer.held} removals held for ${peer.name}; if they are right: account-sync approve ${peer.name}`);
  }
  return lines;
}

function verdict({ parked, held, baseline, queue, peers }: StatusDocument): string {
  if (parked + held > 0) return 'something needs you';
  if (peers.some((peer) => peer.failing_since !== null)) return 'a peer is away';
  if (baseline !== 'done') return 'still looking at all users';
  const waiting = queue.depth + peers.reduce((sum, peer) => sum + peer.pending, 0);
  return waiting > 0 ? 'changes are under way' : 'all sent';
}

/** `2024-05-01 10:00:00Z` */
function dateTime(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}Z`;
}

function since(iso: string, nowMs: number): string {
  return duration(Math.max(0, (nowMs - Date.parse(iso)) / 1000));
}
