/** The daemon of the config, if one runs on this machine: where it listens, and feeds that it does for a command. */
import type { Config } from '../config/config.ts';
import type { FeedSums } from '../feed/puller.ts';
import { ERRORS, SyncError, type ErrorCode } from '../model/errors.ts';
import type { FeedEvent } from '../feed/follow.ts';
import type { PlannedUser } from '../feed/planned.ts';

/** How a feed is to be done, and who is told of it. */
export interface FeedCommand {
  readonly restart: boolean;
  readonly once: boolean;
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** After each page; `planned` only in a dry run. */
  readonly onPage: (
    page: { total: number; remaining: number },
    sums: FeedSums,
    planned: readonly PlannedUser[],
  ) => void;
  /** Before another try after a failure. */
  readonly onRetry: (message: string, waitMs: number) => void;
}

/** A daemon that is there answers a call to begin within this time. */
const PATIENCE_MS = 5_000;

/** The address at which the daemon of this config is reached from its own machine, with a final slash. */
export function daemonUrl({ host, port, basePath }: Config['http']): string {
  const address = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}${basePath}`;
}

/**
 * Lets the running daemon feed from this peer; a second process would need as much memory again. Undefined: there is none that
 * does it for us (no admin token, nobody listens, another version or site, not ready), and nothing has begun. Throws what the
 * feed ended with, the reason of `signal` where that ended it, and `STOPPING` where the daemon went away.
 */
export async function feedByDaemon(config: Config, peer: string, call: FeedCommand): Promise<FeedSums | undefined> {
  const token = config.http.adminToken ?? config.http.adminTokens[0]?.token;
  if (token === undefined || config.http.port === 0) return undefined;
  const url = new URL(`v1/peers/${encodeURIComponent(peer)}/feed`, daemonUrl(config.http));
  // Compressed, lines would wait for more of them.
  const headers = { authorization: `Bearer ${token}`, 'accept-encoding': 'identity' };
  const response = await begin(url, config.site.name, headers, call);
  if (response === undefined) return undefined;
  const end = (): void => {
    fetch(url, { method: 'DELETE', headers }).catch(() => undefined);
  };
  call.signal.addEventListener('abort', end);
  if (call.signal.aborted) end();
  try {
    return await follow(response, call);
  } finally {
    call.signal.removeEventListener('abort', end);
  }
}

async function begin(
  url: URL,
  site: string,
  headers: Record<string, string>,
  { restart, once, dryRun, overwrite }: FeedCommand,
): Promise<Response | undefined> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE_MS);
  const asked = new URL(url);
  asked.searchParams.set('follow', site);
  try {
    const response = await fetch(asked, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({ restart, once, dry_run: dryRun, overwrite }),
      signal: late.signal,
    });
    if (response.ok && response.headers.get('content-type')?.includes('ndjson') === true) return response;
    await response.body?.cancel();
    return undefined;
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

async function follow(response: Response, call: FeedCommand): Promise<FeedSums> {
  for await (const event of eventsOf(response)) {
    switch (event.event) {
      case 'begun':
        break;
      case 'page':
        call.onPage(event.page, event.sums, event.planned);
        break;
      case 'retry':
        call.onRetry(event.message, event.wait_ms);
        break;
      case 'end':
        return event.sums;
      case 'failed':
        throw new SyncError(isCode(event.code) ? event.code : 'INTERNAL', event.message, { remedy: event.remedy });
      case 'stopped':
        call.signal.throwIfAborted();
        throw new SyncError('STOPPING', 'The daemon, or somebody else, ended the feed.');
      default:
        event satisfies never;
    }
  }
  call.signal.throwIfAborted();
  throw new SyncError('STOPPING', 'The daemon went away in the middle of the feed.');
}

/** The lines of the answer; ends where the connection does. */
async function* eventsOf({ body }: Response): AsyncGenerator<FeedEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const part of body ?? []) {
      const lines = `${rest}${decoder.decode(part, { stream: true })}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as FeedEvent;
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw error;
  }
}

function isCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}
