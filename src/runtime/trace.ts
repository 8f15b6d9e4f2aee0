/** Trace ids: the same at both ends of one exchange. */
import { randomUUID } from 'node:crypto';

/** What is taken over from a caller, and nothing else: it ends up in logs and headers. */
export const TRACE_PATTERN = /^[A-Za-z0-9-]{8,64}$/;

/** A new id: 36 characters, unique everywhere. */
export function newTrace(): string {
  return randomUUID();
}
