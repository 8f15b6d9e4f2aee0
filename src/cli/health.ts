/** `account-sync health`: asks the running daemon whether it is ready; for containers and scripts. */
import { readConfig, type CommonOptions, type ExitCode, type Terminal } from './context.ts';
import { daemonUrl } from './running-daemon.ts';

const TIMEOUT_MS = 4_000;

/** 0 if `/health/ready` answers 200, else 1. */
export async function health(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const url = daemonUrl((await readConfig(options, terminal)).http);
  try {
    const response = await fetch(new URL('health/ready', url), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    terminal.out(`${await response.text()}\n`);
    return response.ok ? 0 : 1;
  } catch {
    terminal.err(`No daemon answers on ${new URL(url).host}.\n`);
    return 1;
  }
}
