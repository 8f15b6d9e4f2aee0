/** A daemon as it runs beside a site: a process of its own, so that its memory and its share of a core are its own. */
import { readFileSync } from 'node:fs';
import { configOf, makeCli, type ConfigChanges, type PeerSite } from '../test/support/cli.ts';
import { eventually } from '../test/support/eventually.ts';
import { imageEnv, imageFlags } from '../test/support/image.ts';
import { tokenOf, type WorldSite } from '../test/support/world.ts';

/** The program in the form that the image has it: `npm run build` makes it. */
const BUILT = new URL('../dist/main.js', import.meta.url).pathname;

/** A daemon under way. */
export interface DaemonProcess {
  /** Calls its API as administrator; throws unless the answer is 2xx. */
  admin(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Resident memory now, and the most it ever was, in MiB. */
  memoryMiB(): { now: number; peak: number };
  /** Processor time since it was started, in milliseconds. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** Starts it and waits until it is ready and knows all its users. */
export async function startDaemonProcess(
  site: WorldSite,
  peers: readonly PeerSite[],
  changes: ConfigChanges & { readonly config?: string } = {},
): Promise<DaemonProcess> {
  const cli = makeCli(changes.config ?? configOf(site, peers, changes), [...imageFlags(), BUILT], imageEnv());
  const running = cli.start('run');
  let code: number | null | undefined;
  void running.ended.then((ended) => (code = ended.code));
  const stop = async (): Promise<void> => {
    running.kill('SIGTERM');
    await running.ended;
    cli.close();
  };
  const admin: DaemonProcess['admin'] = async (method, path, body) => {
    const headers = { authorization: `Bearer ${tokenOf(site.name)}`, 'content-type': 'application/json' };
    const response = await fetch(new URL(path, site.url), {
      method,
      headers,
      ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  try {
    await eventually(
      async () => {
        if (code !== undefined) return;
        const { ok } = await fetch(new URL('health/ready', site.url));
        if (!ok) throw new Error(`${site.name} is not ready:\n${running.err()}`);
        const [done] = await site.db.query(`SELECT 1 FROM oc_account_sync_state WHERE name = 'baseline_finished_at'`);
        if (done === undefined) throw new Error(`${site.name} still looks at its users`);
      },
      { timeoutMs: 600_000, intervalMs: 50 },
    );
    if (code !== undefined) throw new Error(`the daemon of ${site.name} ended (${code}):\n${running.err()}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { admin, stop, memoryMiB: () => memoryOf(running.pid), cpuMs: () => cpuOf(running.pid) };
}

function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}

/** User and system time of a process in milliseconds; the kernel counts them in hundredths of a second. */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
