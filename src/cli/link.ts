/** `account-sync link EMAIL PEER` and `unlink EMAIL PEER`: a person says whether two accounts of one address are one person's. */
import { linkAccounts, unlinkAccounts } from '../admin/link.ts';
import type { LinkOutcome } from '../model/response-schemas.ts';
import { localActor } from './actor.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';

/** Flags of both commands. */
export interface LinkFlags extends DataOptions {
  readonly dryRun?: boolean;
}

/** They are one person's. 3 if something of it still waits, 1 if nothing came of it. */
export function link(email: string, peer: string, flags: LinkFlags, terminal: Terminal): Promise<ExitCode> {
  return say(linkAccounts, email, peer, flags, terminal);
}

/** They are two. */
export function unlink(email: string, peer: string, flags: LinkFlags, terminal: Terminal): Promise<ExitCode> {
  return say(unlinkAccounts, email, peer, flags, terminal);
}

async function say(
  action: typeof linkAccounts,
  email: string,
  peer: string,
  flags: LinkFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  return withSite(
    flags,
    terminal,
    async (site): Promise<ExitCode> => {
      const { dryRun = false } = flags;
      const outcome = await action(site, { email, peer, dryRun }, localActor());
      if (flags.json === true) writeJson(terminal, { peer, ...outcome });
      else terminal.out(`${linesOf(outcome, peer, site.config.site.name).join('\n')}\n`);
      return EXIT[outcome.result];
    },
    { peer },
  );
}

const EXIT: Readonly<Record<LinkOutcome['result'], ExitCode>> = {
  linked: 0,
  sent: 0,
  parted: 0,
  unchanged: 0,
  parked: 3,
  retry: 1,
};

function linesOf(outcome: LinkOutcome, peer: string, here: string): string[] {
  const { email, user_id: id, blocked, result, dry_run: dryRun } = outcome;
  const isJoined = result === 'linked' || result === 'sent';
  return [
    `${email} #${id}: ${whatCame(outcome, peer, here)}`,
    ...(blocked && isJoined ? [`It is blocked here, and will be at ${peer} too.`] : []),
    ...(dryRun && result !== 'unchanged' ? ['Nothing was written.'] : []),
  ];
}

function whatCame({ result, registers = [], code, message, dry_run: dryRun }: LinkOutcome, peer: string, here: string) {
  const is = dryRun ? 'would be' : 'is';
  const taken = registers.length === 0 ? 'nothing of it is newer than here' : `taken over: ${registers.join(', ')}`;
  switch (result) {
    case 'linked':
      return `${is} one with the account at ${peer}; ${taken}.`;
    case 'sent':
      return `nothing of ${peer} waits here. Its address ${is} proved by your word, and it goes to ${peer} with the next delivery, to be merged there.`;
    case 'parted':
      return `${is} another than the account at ${peer}, and than all that met that one. What each sends waits at the other as EMAIL_UNPROVEN. Whatever was merged before stays in both: set a new password.`;
    case 'unchanged':
      return `nothing to do: that is how they stand already. What waits at ${peer} is decided there: account-sync link EMAIL ${here}`;
    case 'parked':
    case 'retry':
      return `${result === 'retry' ? 'try again' : 'something still waits'}: ${code ?? ''} ${message ?? ''}`.trimEnd();
    default:
      return result satisfies never;
  }
}
