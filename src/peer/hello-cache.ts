/** What peers last said of themselves: name, columns, clock. Asked again now and then. */
import type { Hello } from '../model/record.ts';
import { hasPassed } from '../runtime/clock.ts';

/** Remembers the hello of each peer. */
export interface HelloCache {
  /** The peer's hello, at most five minutes old; throws PEER_… errors if it has to ask. `fresh`: it asks in any case. */
  hello(peer: string, signal?: AbortSignal, options?: { readonly fresh: boolean }): Promise<Hello>;
  /** The largest difference between our clock and a peer's, in milliseconds (ours minus theirs); null: none is known. */
  clockSkewMs(): number | null;
  /** The difference for each peer of which it is known, in milliseconds. */
  clockSkewsMs(): ReadonlyMap<string, number>;
  /** Peers are asked again: they may be others, or at other addresses. An answer under way is given, and not remembered. */
  forget(): void;
}

const GOOD_FOR_MS = 300_000;

/** @param ask calls the peer */
export function makeHelloCache(
  ask: (peer: string, signal?: AbortSignal) => Promise<Hello>,
  nowMs: () => number,
): HelloCache {
  const known = new Map<string, { readonly hello: Hello; readonly atMs: number; readonly skewMs: number }>();
  /** Counts {@link HelloCache.forget}. */
  let age = 0;
  const skews = (): Map<string, number> =>
    new Map([...known].map(([peer, { skewMs }]) => [peer, skewMs] as const).filter(([, ms]) => Number.isFinite(ms)));
  return {
    async hello(peer, signal, { fresh } = { fresh: false }) {
      const last = known.get(peer);
      if (!fresh && last !== undefined && !hasPassed(GOOD_FOR_MS, last.atMs, nowMs())) return last.hello;
      const before = nowMs();
      const askedIn = age;
      const hello = await ask(peer, signal);
      const middle = (before + nowMs()) / 2;
      // Meanwhile the peer may have got another address, and this is what was at the old one.
      if (askedIn !== age) return hello;
      known.set(peer, { hello, atMs: nowMs(), skewMs: Math.round(middle - Date.parse(hello.time)) });
      return hello;
    },
    clockSkewMs() {
      const all = [...skews().values()];
      return all.length === 0 ? null : all.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    },
    clockSkewsMs: skews,
    forget() {
      age += 1;
      known.clear();
    },
  };
}
