/** `account-sync stream [PEER]`: one drain and delivery now, beside a daemon or without one. */
import { ERRORS, SyncError } from '../model/errors.ts';
import type { Site } from '../site/site.ts';
import { peerFacts } from '../daemon/wiring.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
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

/** 1 if a peer could not be reached: its entries wait. */
export async function stream(peer: string | undefined, flags: DataOptions, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, (site) => streamNow(site, peer, flags.json === true, terminal), { peer });
}

async function streamNow(site: Site, only: string | undefined, json: boolean, terminal: Terminal): Promise<ExitCode> {
  const signal = terminal.untilStopped();
  if (site.config.capture.mode === 'scan') await site.scanning.request();
  if ((await finishScan(site, terminal)) === undefined) return 130;
  const drained = await drainAll(site, signal);
  const peers = site.routes().filter((route) => only === undefined || route.name === only);
  const problems = new Map(
    await Promise.all(
      peers
        .filter((route) => route.send)
        .map(async ({ name }) => [name, await deliverAll(site, name, signal)] as const),
    ),
  );
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
  if (code === undefined) return 0;
  terminal.err(`${ERRORS[code as keyof typeof ERRORS].remedy}\n`);
  return 1;
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
