/**
 * The part of `account-sync check` that is about relaying: what one peer sends goes on to another only if the entry of the
 * one that sends says `relay: true`, so that two peers that meet only here need it in both entries.
 */
import type { Config } from '../../config/config.ts';
import { warn, type Finding } from './finding.ts';

/**
 * Peers whose records end here although somebody may need them: a peer that runs the plugin, or one whose own records go
 * on to them. Two daemons that know each other need no relay, and whether they do cannot be seen from here.
 */
export function checkRelays({ peers }: Pick<Config, 'peers'>): Finding[] {
  return peers
    .filter((from) => from.protocol === 'native' && from.receive && !from.relay)
    .flatMap((from) => {
      const lacking = peers
        .filter((to) => to !== from && to.send && (to.protocol === 'plugin' || (to.receive && to.relay && from.send)))
        .map(({ name }) => name);
      if (lacking.length === 0) return [];
      const names = lacking.join(' and ');
      return [
        warn(
          'relay',
          `what ${from.name} sends is not passed on to ${names}: new accounts and removals of it do not get there`,
          `Set relay: true in the entry of ${from.name} too, unless ${from.name} knows ${names} itself.`,
        ),
      ];
    });
}
