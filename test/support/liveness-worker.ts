/** Asks a daemon whether it lives, from a thread of its own: what else the test does must not count as the daemon's time. */
import { once } from 'node:events';
import { request as ask, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { url } = workerData as { readonly url: string };
const state = { slowestMs: 0, isOver: false };

/** Over a connection of its own, as probes do. */
async function isAlive(): Promise<boolean> {
  try {
    const request = ask(url, { agent: false });
    request.end();
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer.statusCode === 200;
  } catch {
    return false;
  }
}

parentPort?.once('message', () => {
  state.isOver = true;
});
while (!state.isOver) {
  const start = performance.now();
  // A connection may be among those that are closed as too many; whoever asks then asks again.
  while (!(await isAlive())) await wait(10);
  state.slowestMs = Math.max(state.slowestMs, performance.now() - start);
  await wait(50);
}
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(state.slowestMs);
