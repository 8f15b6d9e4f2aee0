/** `account-sync stream [PEER]`: sends now all that was changed before, beside a daemon or without one. */
import { ERRORS } from '../model/errors.ts';
import type { Site } from '../site/site.ts';
import { peerFacts } from '../admin/peer-facts.ts';
import { streamAll } from '../admin/stream.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { finishScan } from './scan.ts';
import { formatCount } from '../runtime/figures.ts';

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

async function streamNow(site: Site, only: string | undefined, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const signal = terminal.untilStopped();
  if (site.config.capture.mode === 'scan') await site.scans.request();
  if ((await finishScan(site, terminal)) === undefined) return 130;
  const peers = site.routes().filter((route) => only === undefined || route.name === only);
  const names = peers.filter((route) => route.send).map(({ name }) => name);
  const { drained, peers: deliveries, late } = await streamAll(site, names, signal);
  if (signal.aborted) return 130;
  const results: Sent[] = [];
  for (const { name, pending, parked, held } of await site.status.summaries(peerFacts(site))) {
    const came = deliveries.get(name);
    if (came === undefined) continue;
    const problem = came.problem === null ? null : { code: came.problem.code, message: came.problem.message };
    results.push({ peer: name, sent: came.sent, problem, pending, parked, held });
  }
  if (json) writeJson(terminal, { drained, peers: results });
  else {
    terminal.out(`${formatCount(drained, 'marker')} drained\n`);
    for (const result of results) terminal.out(`${line(result)}\n`);
  }
  for (const route of peers.filter((one) => !one.send)) terminal.err(`${route.name}: gets nothing (send: false)\n`);
  const code = results.find(({ problem }) => problem !== null)?.problem?.code;
  if (code !== undefined) terminal.err(`${ERRORS[code as keyof typeof ERRORS].remedy}\n`);
  else if (late)
    terminal.err('Not all that was changed before has been sent: "account-sync status" says why it waits.\n');
  return code !== undefined || late ? 1 : 0;
}

function line({ peer, sent, pending, parked, held, problem }: Sent): string {
  const left = [`${pending} waiting`, `${parked} parked`, `${held} held`].filter((part) => !part.startsWith('0 '));
  return `${[`${peer}: ${sent} sent`, ...left].join(', ')}${problem === null ? '' : ` — ${problem.message}`}`;
}
