/** `account-sync health`: asks the running daemon whether it is ready; for containers and scripts. */
import { readConfig, type CommonOptions, type ExitCode, type Terminal } from './context.ts';

const TIMEOUT_MS = 4_000;

/** 0 if `/health/ready` answers 200, else 1. */
export async function health(options: CommonOptions, terminal: Terminal): Promise<ExitCode> {
  const { host, port, basePath } = (await readConfig(options, terminal)).http;
  const address = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const name = address.includes(':') ? `[${address}]` : address;
  try {
    const url = `http://${name}:${port}${basePath}health/ready`;
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    terminal.out(`${await response.text()}\n`);
    return response.ok ? 0 : 1;
  } catch {
    terminal.err(`No daemon answers on ${address}:${port}.\n`);
    return 1;
  }
}
