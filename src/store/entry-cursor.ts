/** Names of outbox entries as text: `homes:u:17`. They page lists and name parked entries in commands and addresses. */
import { sql, type RawBuilder } from 'kysely';

/** Key of an outbox entry. */
export interface EntryKey {
  readonly peer: string;
  /** `u` a user, `r` a removal. */
  readonly kind: 'u' | 'r';
  readonly ref: number;
}

/** What an id of the parked list names: a record that came in, or an entry of an outbox. */
export type ParkedKey = { readonly direction: 'in'; readonly id: number } | ({ readonly direction: 'out' } & EntryKey);

/** `homes:u:17` */
export function formatEntryKey({ peer, kind, ref }: EntryKey): string {
  return `${peer}:${kind}:${ref}`;
}

/** Undefined if the text is no id of either kind. */
export function parseParkedId(text: string): ParkedKey | undefined {
  if (/^\d{1,15}$/.test(text)) return { direction: 'in', id: Number(text) };
  const match = /^([a-z0-9-]{1,32}):([ur]):(\d{1,15})$/.exec(text);
  if (match === null) return undefined;
  const [, peer = '', kind, ref] = match;
  return { direction: 'out', peer, kind: kind as 'u' | 'r', ref: Number(ref) };
}

/** Entries behind `key` in the order (peer, kind, ref): spelt out, as servers do not use the index for row comparisons. */
export function entriesAfter({ peer, kind, ref }: EntryKey): RawBuilder<unknown> {
  return sql`(o.peer > ${peer} OR (o.peer = ${peer} AND (o.kind > ${kind} OR (o.kind = ${kind} AND o.ref > ${ref}))))`;
}
