/** Stands in for src/osclass/copies.ts: there are no listings here. */
export async function copyContact(): Promise<void> {}
