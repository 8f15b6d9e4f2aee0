/** `account-sync explain EMAIL|ID`: everything known of one user. */
import { reportUser, type PeerReport, type SetAt, type UserReport } from '../admin/user-report.ts';
import type { Site } from '../site/site.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { line as logLine } from './logs.ts';
import { formatTable } from '../runtime/figures.ts';
import { escapeOnOneLine } from '../runtime/escape-controls.ts';

/** 1 if nobody is known by that. Digits alone are an id of this site. */
export async function explainUser(who: string, flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site): Promise<ExitCode> => {
    const report = await reportOf(site, who);
    if (report === undefined) {
      terminal.err(`Nobody is known here by ${who}: no account, and no removal that is still remembered.\n`);
      return 1;
    }
    if (flags.json === true) writeJson(terminal, report);
    else terminal.out(`${screenOf(report).join('\n')}\n`);
    return 0;
  });
}

function reportOf({ db, activity, status, snapshot, routes }: Site, who: string): Promise<UserReport | undefined> {
  const { hosts } = snapshot();
  return reportUser({ db, hosts, activity, status, routes: routes() }, /^\d{1,10}$/.test(who) ? Number(who) : who);
}

function screenOf(report: UserReport): string[] {
  const { user_id: id, email, state, uids, born, removed, marked_at: marked, registers, peers, logs } = report;
  const head = [
    [email ?? '?', id === null ? '' : `#${id}`].join(' ').trim(),
    ...(removed === null ? [] : [`removed   ${setAt(removed)}`]),
    ...(state === 'unmarked' ? ['not looked at yet: the baseline goes on, or the account is new'] : []),
    ...(born === null ? [] : [`born      ${setAt(born)}`]),
    ...uids.map((uid, index) => `${index === 0 ? 'uids      ' : '          '}${uid}`),
    ...(marked === null ? [] : [`changed   ${dateTime(marked)}, still to be looked at`]),
  ];
  const rows = registers.map(({ name, hash, set, edited, altered }) => {
    const remarks = [edited ? 'edited since' : '', altered ? 'stored in a shorter form' : ''].filter(Boolean);
    return [
      name,
      hash,
      dateTime(set.date),
      set.site,
      [set.adopted ? 'before account-sync' : '', ...remarks].filter(Boolean).join(', '),
    ];
  });
  return [
    ...head,
    ...(rows.length === 0 ? [] : ['', formatTable([['register', 'hash', 'set', 'by', ''], ...rows])]),
    '',
    ...(peers.length === 0 ? ['No peers in the config.'] : peers.flatMap(peerLines)),
    ...(logs.length === 0 ? [] : ['', 'last log records', ...logs.toReversed().map(logLine)]),
  ];
}

function peerLines({ peer, confirmed, waiting, failing, parked, not_passed_on: lacking }: PeerReport): string[] {
  const state =
    confirmed === null
      ? 'gets nothing from us (send: false)'
      : waiting === null
        ? 'nothing waits: it has confirmed what was sent to it'
        : `${waiting.state} since ${dateTime(waiting.since)}`;
  const why =
    waiting === null || waiting.message === null
      ? []
      : [escapeOnOneLine(`  ${waiting.code ?? ''} ${waiting.message}`.trimEnd())];
  const tries =
    waiting === null || waiting.attempts === 0
      ? []
      : [`  tried ${waiting.attempts} times, next ${dateTime(waiting.due)}`];
  return [
    `${peer}: ${state}`,
    ...lacking.map(
      (from) =>
        `  what ${from} sends is not passed on to it: the entry of ${from} lacks "relay: true"; ${from} has to tell it`,
    ),
    ...why,
    ...(waiting === null || failing === null
      ? []
      : [`  calls fail since ${dateTime(failing.since)}: ${escapeOnOneLine(failing.message ?? '')}`]),
    ...tries,
    ...parked.map(
      ({ id, code, message, since }) => `  parked ${id} since ${dateTime(since)}: ${code} ${escapeOnOneLine(message)}`,
    ),
  ];
}

function setAt({ date, site, adopted }: SetAt): string {
  return `${dateTime(date)} by ${site}${adopted ? ', before account-sync' : ''}`;
}

/** `2024-05-01 10:00:00.123Z` */
function dateTime(iso: string): string {
  return iso.replace('T', ' ');
}
