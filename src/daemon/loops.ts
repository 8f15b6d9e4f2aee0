/** The loops of a running site: each kind of work repeated by one loop, woken by time, by need, or by another loop. */
import type { WorkState } from '../admin/gather-health.ts';
import { streamOnce } from '../admin/stream.ts';
import type { PeerConfig } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Log } from '../runtime/logger.ts';
import { every, type Stoppable } from '../runtime/schedule.ts';
import type { Site } from '../site/site.ts';
import { peersWithDue } from '../store/outbox.ts';
import { EVERY_SECOND, type LoopContext } from './loops/context.ts';
import { deliveryLoop } from './loops/deliver.ts';
import { makeDrainLoop } from './loops/drain.ts';
import { watchIdentity } from './loops/identity-watch.ts';
import { parkedLoop } from './loops/parked.ts';
import { makePeerLoops } from './loops/per-peer.ts';
import { refeedLoop } from './loops/refeed.ts';
import { retentionLoop } from './loops/retention.ts';

/** The work of one site. */
export interface Loops {
  readonly state: WorkState;
  start(): void;
  /** Drains and delivers until everything that can be sent is sent. */
  runStream(signal?: AbortSignal): Promise<{ drained: number; sent: number }>;
  /** There may be records here that can go through now. */
  wakeParked(): void;
  /** After the site's config was edited: a loop for each peer that there is now, none for those that are gone. */
  followConfig(): void;
  stop(): Promise<void>;
}

/** Makes the loops; nothing runs before start(). */
export function makeLoops(site: Site, log: Log, clock: Clock): Loops {
  const state: WorkState = {
    triggers: site.config.capture.mode === 'scan' ? 'unused' : 'ok',
    vanished: 0,
    queueFails: null,
    readOnly: false,
    hostMissing: false,
    clockSkewMs: null,
  };
  const context: LoopContext = { site, log, clock, state, identity: watchIdentity(site, log, clock) };
  const deliveries = makePeerLoops((peer) => deliveryLoop(context, peer));
  const refeeds = makePeerLoops((peer) => refeedLoop(context, peer));
  const parked = parkedLoop(context);
  const drain = makeDrainLoop(context, {
    parked: () => parked.wake(),
    async deliveries() {
      const peers = site.routes().map(({ name }) => name);
      for (const peer of await peersWithDue(site.db, peers, clock.nowMs())) deliveries.wake(peer);
    },
  });
  const loops = [drain.loop, parked, retentionLoop(context)];

  /** The deliveries' schedule, and what wakes them by it. */
  let schedule: { readonly expression: string; readonly trigger: Stoppable } | undefined;
  const followConfig = (): void => {
    drain.renew();
    const { peers, site: us, stream } = site.config;
    // Who is called elsewhere or otherwise than before is called at once, however long the last calls had failed.
    const wayTo = ({ url, protocol, sendKey, publicKeys }: PeerConfig): string =>
      JSON.stringify([protocol, url, sendKey, us.signingKey, publicKeys.length > 0]);
    const wanted = (which: readonly PeerConfig[]) => new Map(which.map((peer) => [peer.name, wayTo(peer)]));
    deliveries.follow(wanted(peers.filter((peer) => peer.send)));
    refeeds.follow(wanted(peers.filter((peer) => peer.protocol === 'plugin' && peer.feedWithinMs !== null)));
    if (schedule?.expression === stream.schedule) return;
    schedule?.trigger.stop();
    const trigger = every(stream.schedule, () => {
      drain.streamIsDue();
      // That often the drain is woken anyway; twice would double what an idle daemon asks.
      if (stream.schedule !== EVERY_SECOND) drain.loop.wake();
    });
    schedule = { expression: stream.schedule, trigger };
  };

  return {
    state,
    start() {
      followConfig();
      for (const loop of loops) loop.start();
    },
    followConfig,
    runStream: (signal) => streamOnce(site, signal),
    wakeParked: () => parked.wake(),
    async stop() {
      schedule?.trigger.stop();
      await Promise.all([...loops, deliveries, refeeds].map((one) => one.stop()));
      await drain.leave();
    },
  };
}
