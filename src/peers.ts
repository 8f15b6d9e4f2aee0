/** The peers of a site, calling side: a client each, what they said of themselves, and how the last call went. */
import type { Config, PeerConfig } from './config/config.ts';
import { SyncError } from './model/errors.ts';
import type { Hello } from './model/record.ts';
import type { PeerStatus } from './ops/peer-status.ts';
import { makeAcquaintance, type Acquaintance } from './peer/acquaintance.ts';
import { makePeerClient, type PeerClient } from './peer/client.ts';
import { newTrace } from './runtime/trace.ts';

/** Calls peers by name. */
export interface Peers {
  /** Throws `PEER_UNKNOWN`. */
  client(peer: string): PeerClient;
  /** Makes a call and notes in table `peer` how it went, whatever came of it. */
  noted<T>(peer: string, call: (client: PeerClient) => Promise<T>): Promise<T>;
  readonly acquaintance: Acquaintance;
  close(): Promise<void>;
}

/**
 * Opens no connection before the first call.
 *
 * @param pluginClient the client of a peer that does not speak our protocol
 */
export function makePeers(
  config: Config,
  status: PeerStatus,
  nowMs: () => number,
  pluginClient: (peer: PeerConfig) => PeerClient | undefined,
): Peers {
  const { apiKey, name: site } = config.site;
  const clients = new Map(
    config.peers.map((peer) => [peer.name, pluginClient(peer) ?? makePeerClient({ url: peer.url, apiKey, site })]),
  );
  const plugins = new Set(config.peers.filter((peer) => peer.protocol === 'plugin').map((peer) => peer.name));
  const client = (peer: string): PeerClient => {
    const found = clients.get(peer);
    if (found === undefined) throw new SyncError('PEER_UNKNOWN', `No peer "${peer}" in the config.`);
    return found;
  };
  const noted: Peers['noted'] = async (peer, call) => {
    try {
      const answer = await call(client(peer));
      await status.recordCall(peer, { ok: true, status: '200', message: 'OK' });
      return answer;
    } catch (error) {
      if (error instanceof SyncError) {
        const code = /^HTTP (\d{3})/.exec(error.message)?.[1] ?? 'ERR';
        await status.recordCall(peer, { ok: false, status: code, message: error.message }).catch(() => undefined);
      }
      throw error;
    }
  };
  return {
    client,
    noted,
    acquaintance: makeAcquaintance((peer, signal) => {
      const hello = (one: PeerClient): Promise<Hello> =>
        one.hello({ trace: newTrace(), ...(signal === undefined ? {} : { signal }) });
      // A plugin has no hello: there is no call to note.
      return plugins.has(peer) ? hello(client(peer)) : noted(peer, hello);
    }, nowMs),
    async close() {
      await Promise.all([...clients.values()].map((one) => one.close()));
    },
  };
}
