/** Stands in for src/apply/item-leftovers.ts: there are no listings here. */
export async function keepLeftovers(): Promise<void> {}

export async function sweepOnce(): Promise<number> {
  return 0;
}
