/** The peers of a site, calling side: a client each, what they said of themselves, and how the last call went. */
import type { Config, PeerConfig } from '../config/config.ts';
import { SyncError } from '../model/errors.ts';
import { nativeOwner, type FeedOwner } from '../model/feed-owner.ts';
import type { PeerStatus } from '../store/peer-status.ts';
import { makeHelloCache, type HelloCache } from '../peer/hello-cache.ts';
import { makePeerClient, type PeerClient } from '../peer/client.ts';
import { makeKeyDigest, type KeyDigest } from '../peer/key-digest.ts';
import { makeOwnCredentials, ownIdentity, type SignatureMemory } from '../peer/own-credentials.ts';
import { newTrace } from '../runtime/trace.ts';

/** Calls peers by name. */
export interface Peers {
  /** Throws `PEER_UNKNOWN`. */
  client(peer: string): PeerClient;
  /** Makes a call and notes in table `peer` how it went, whatever came of it. */
  noted<T>(peer: string, call: (client: PeerClient) => Promise<T>): Promise<T>;
  /** Names what the last call to the peer showed, for log records. */
  keyDigest(peer: string): string;
  readonly helloCache: HelloCache;
  /** Takes over another config: calls under way end as they began, whoever is called next is called as it says. */
  update(config: Config): void;
  close(): Promise<void>;
}

/** See src/store/installation.ts and src/store/feed-cursor.ts. */
export interface Installations {
  ours(): Promise<string>;
  note(peer: string, owner: FeedOwner): Promise<void>;
}

/**
 * Opens no connection before the first call.
 *
 * @param pluginClient the client of a peer that does not speak our protocol
 * @param installations what peers are told of this installation, and where is noted what they tell of theirs
 * @param memory which of them took our signature
 */
export function makePeers(
  config: Config,
  status: PeerStatus,
  nowMs: () => number,
  pluginClient: (peer: PeerConfig, keyDigest: KeyDigest) => PeerClient | undefined,
  installations: Installations,
  memory: SignatureMemory,
): Peers {
  const clients = new Map<string, { readonly client: PeerClient; readonly made: string }>();
  const plugins = new Set<string>();
  const helloCache = makeHelloCache(async (peer, signal) => {
    const call = { trace: newTrace(), ...(signal === undefined ? {} : { signal }) };
    // A plugin has no hello: there is no call to note.
    if (plugins.has(peer)) return await client(peer).hello(call);
    const installation = await installations.ours();
    const hello = await noted(peer, (one) => one.hello({ ...call, installation }));
    await installations.note(peer, nativeOwner(hello));
    return hello;
  }, nowMs);

  const update = (next: Config): void => {
    const { site, peers } = next;
    const keyDigest = makeKeyDigest(next);
    const names = new Set(peers.map((peer) => peer.name));
    plugins.clear();
    for (const peer of peers) {
      if (peer.protocol === 'plugin') plugins.add(peer.name);
      const identity = ownIdentity(next, peer);
      const made = JSON.stringify([peer.protocol, peer.url, identity, keyDigest('')]);
      const before = clients.get(peer.name);
      if (before?.made === made) continue;
      before?.client.retire();
      const credentials = makeOwnCredentials(identity, { memory, keyDigest, nowMs });
      const fresh = pluginClient(peer, keyDigest) ?? makePeerClient({ url: peer.url, credentials, site: site.name });
      clients.set(peer.name, { client: fresh, made });
    }
    for (const [name, { client: removed }] of clients) {
      if (names.has(name)) continue;
      removed.retire();
      clients.delete(name);
    }
    helloCache.forget();
  };
  update(config);
  const client = (peer: string): PeerClient => {
    const found = clients.get(peer);
    if (found === undefined) throw new SyncError('PEER_UNKNOWN', `No peer "${peer}" in the config.`);
    return found.client;
  };
  const noted: Peers['noted'] = async (peer, call) => {
    try {
      const answer = await call(client(peer));
      await status.recordCall(peer, { ok: true, status: '200', message: 'OK' });
      return answer;
    } catch (error) {
      if (error instanceof SyncError) {
        const answered = String(error.httpStatus ?? 'ERR');
        await status.recordCall(peer, { ok: false, status: answered, message: error.message }).catch(() => undefined);
      }
      throw error;
    }
  };
  return {
    client,
    noted,
    keyDigest: (peer) => client(peer).keyDigest(),
    helloCache,
    update,
    async close() {
      await Promise.all([...clients.values()].map((one) => one.client.close()));
    },
  };
}
