/** Stands in for src/osclass/copies.ts: there are no listings here, and nobody asks for a change of address that waits. */
export async function copyContact(): Promise<void> {}

export async function dropEmailChange(): Promise<void> {}
