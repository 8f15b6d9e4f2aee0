/** `account-sync approve PEER`: lets through what the guard holds. */
import { approvePeer } from '../admin/approve.ts';
import { GUARD_CLASSES, type GuardClass } from '../model/guard.ts';
import type { ReleaseOutcome } from '../model/response-schemas.ts';
import { localActor } from './actor.ts';
import { withSite, writeJson, type DataOptions, type ExitCode, type Terminal } from './context.ts';

/** Flags of the command. */
export interface ApproveFlags extends DataOptions {
  readonly class?: GuardClass;
  readonly dryRun?: boolean;
}

/** In and out. */
export async function approve(peer: string, flags: ApproveFlags, terminal: Terminal): Promise<ExitCode> {
  return withSite(
    flags,
    terminal,
    async (site): Promise<ExitCode> => {
      const { class: only, dryRun = false } = flags;
      const outcome = await approvePeer(site, peer, Date.now(), localActor(), { only, dryRun });
      if (flags.json === true) writeJson(terminal, { peer, ...outcome });
      else terminal.out(`${describe(peer, outcome, only)}\n`);
      return 0;
    },
    { peer },
  );
}

function describe(
  peer: string,
  { released, by_class: byClass, dry_run: dryRun }: ReleaseOutcome,
  only?: GuardClass,
): string {
  if (released === 0) return `Nothing is held for ${peer}${only === undefined ? '' : ` of ${only}`}.`;
  const parts = GUARD_CLASSES.filter((name) => byClass[name] > 0).map((name) => `${byClass[name]} ${name}`);
  const what = `${released} (${parts.join(', ')})`;
  return dryRun
    ? `${what} would be let through; nothing was written.`
    : `${what} let through; what goes out goes with the next delivery.`;
}
