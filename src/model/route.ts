/** Routes: what goes to and comes from each peer, derived from the config. */
import type { Changes } from './guard.ts';
import type { EmailTrust } from './proof.ts';
import type { Selection } from './policy.ts';
import type { RegisterName } from './register.ts';

/** What a removal elsewhere does here. `delete`: as Osclass deletes; `disable`: block the account; `ignore`: leave it as it is. */
export type RemovalMode = 'delete' | 'disable' | 'ignore';

/** One peer as capture, apply and deliver see it. */
export interface PeerRoute {
  readonly name: string;
  /** We send it changes. */
  readonly send: boolean;
  /** We take its records. */
  readonly receive: boolean;
  /** How far its word on proofs of addresses goes; see {@link judgeProof}. */
  readonly emailTrust: EmailTrust;
  /** What it sends is passed on to our other peers. */
  readonly relay: boolean;
  /** What its removals do here. */
  readonly removalMode: RemovalMode;
  /** `osclass`: texts that it sends are stored as a form of the host would store them; `none`: as they are. */
  readonly sanitize: 'osclass' | 'none';
  /** Registers we send it. */
  readonly sends: Selection;
  /** Registers we accept from it. */
  readonly accepts: Selection;
}

/** One user (or removal) to be put into the outbox of one peer. */
export interface OutboxEntry {
  readonly peer: string;
  readonly kind: 'user' | 'removal';
  /** `user_id`, or `removal_id` of the tombstone. */
  readonly ref: number;
  /** What of it the guard counts; absent: nothing. */
  readonly changes?: Changes;
}

/** The peers that are to learn of changed registers of a user. */
export function routesFor(
  routes: readonly PeerRoute[],
  changed: readonly RegisterName[] | 'all',
  except?: string,
): PeerRoute[] {
  return routes.filter(
    (route) => route.send && route.name !== except && (changed === 'all' || changed.some((name) => route.sends(name))),
  );
}

/**
 * The peers whose records are not passed on to a peer, though both are exchanged with: the entry of the one that sends
 * decides (`relay`). Whoever knows the other itself needs nobody to pass on anything.
 */
export function notPassedOnTo(to: PeerRoute, routes: readonly PeerRoute[]): PeerRoute[] {
  return to.send ? routes.filter((from) => from.name !== to.name && from.receive && !from.relay) : [];
}
