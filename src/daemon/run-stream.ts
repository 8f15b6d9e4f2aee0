/** One drain and delivery now, when a person or a command asks. */
import { entryOf } from '../model/errors.ts';
import type { Site } from '../site/site.ts';

/** Drains, and delivers to every peer until everything that can be sent is sent; with how many markers and entries. */
export async function runStream(site: Site, signal?: AbortSignal): Promise<{ drained: number; sent: number }> {
  if (site.config.capture.mode === 'scan') await site.scanning.now(signal);
  let drained = 0;
  for (let full = true; full;) {
    const pass = await site.drain(signal);
    drained += pass.done;
    full = pass.full;
  }
  const sums = await Promise.all(
    site
      .routes()
      .filter((route) => route.send)
      .map((route) => deliverAll(site, route.name, signal)),
  );
  return { drained, sent: sums.reduce((sum, sent) => sum + sent, 0) };
}

/** Delivers to one peer until nothing is due or it cannot be reached; what it could not take waits for the loop. */
async function deliverAll(site: Site, peer: string, signal?: AbortSignal): Promise<number> {
  let sent = 0;
  try {
    for (let full = true; full;) {
      const pass = await site.deliver(site.route(peer), signal);
      sent += pass.done;
      full = pass.full && pass.done > 0;
    }
  } catch (error) {
    if (entryOf(error).reaction !== 'retry') throw error;
  }
  return sent;
}
