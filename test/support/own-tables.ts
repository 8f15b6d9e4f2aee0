/** Names of the daemon's tables as text, for statements that tests write by hand: `DELETE FROM ${OWN.outbox}`. */
import type { Ident } from '../../src/db/catalog.ts';
import { own, ownName } from '../../src/db/own-tables.ts';

export type OwnNames = Readonly<Record<keyof typeof own, Ident>>;

/** Those of a site with the usual prefix. */
export const OWN: OwnNames = Object.fromEntries(
  Object.entries(own).map(([key, { purpose }]) => [key, ownName('oc_', purpose)]),
) as Record<keyof typeof own, Ident>;
