/** Which peers of a site run the PHP plugin, by the config in force, and what follows from that config for each. */
import type { Config } from '../config/config.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Zone } from '../osclass/timezone.ts';
import type { PluginClientOptions } from './client.ts';
import { peerTimes, type PeerTimes } from './times.ts';

/** What has to be known of the site; asked at each call, for the config can be edited. */
export interface ConfiguredSite {
  readonly config: () => Config;
  readonly snapshot: () => { readonly zone: Zone };
  readonly route: (peer: string) => PeerRoute;
}

/** The plugin peers that are configured now. */
export interface ConfiguredPeers {
  names(): string[];
  routes(): PeerRoute[];
  /** True if there are several: they may repeat each other's removals, any number of times. */
  isRound(): boolean;
  times(peer: string): PeerTimes;
  /** Where a peer is called, and with which key. */
  address(peer: string): Pick<PluginClientOptions, 'url' | 'apiKey'>;
}

/** Remembers nothing: every answer is by the config in force when it is asked. */
export function configuredPeers({ config, snapshot, route }: ConfiguredSite): ConfiguredPeers {
  const names = (): string[] =>
    config()
      .peers.filter((peer) => peer.protocol === 'plugin')
      .map((peer) => peer.name);
  return {
    names,
    routes: () => names().map(route),
    isRound: () => names().length > 1,
    times: (peer) => peerTimes(config().peers, peer, snapshot().zone),
    address(peer) {
      const found = config().peers.find((one) => one.name === peer);
      return { url: found?.url ?? '', apiKey: found?.sendKey ?? '' };
    },
  };
}
