/** `account-sync resume --moved | --restored | --clone`: says what a site that finds itself elsewhere is. */
import { resume, type ResumedAs } from '../admin/resume.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';
import { localActor } from './actor.ts';

/** Flags of the command; exactly one of the first three. */
export interface ResumeFlags extends DataOptions {
  readonly moved?: boolean;
  readonly restored?: boolean;
  readonly clone?: boolean;
}

const NEXT: Readonly<Record<ResumedAs, string>> = {
  moved: 'The daemon goes on. If peers call it at another address now: change peers[].url there.',
  restored:
    'The daemon goes on. For each peer: account-sync feed PEER --restart, which brings back what peers know, and names accounts that are here again though they were removed since.',
  clone: 'The daemon goes on as a site of its own. Nothing waits for peers any more; feeds start over.',
};

/** What the flags say; undefined: none of them, or several. */
export function saidBy(flags: ResumeFlags): ResumedAs | undefined {
  const said = (['moved', 'restored', 'clone'] as const).filter((as) => flags[as] === true);
  return said.length === 1 ? said[0] : undefined;
}

/** 1 where nothing was stopped. */
export async function resumeAs(as: ResumedAs, flags: ResumeFlags, terminal: Terminal): Promise<ExitCode> {
  return withSite(flags, terminal, async (site): Promise<ExitCode> => {
    const { stopped, message } = await resume(site, as, localActor());
    if (flags.json === true) writeJson(terminal, { as, stopped, message });
    else if (stopped) terminal.out(`Resumed as ${as}: ${message}.\n`);
    if (!stopped) terminal.err('Nothing is stopped: server, database and address are those of last time.\n');
    else if (flags.json !== true) terminal.err(`${NEXT[as]}\n`);
    return stopped ? 0 : 1;
  });
}
