/** The STREAM records of what was sent. */
import type { SyncError } from '../model/errors.ts';
import { maskEmail, type LogEntry } from '../model/log-entry.ts';
import type { PeerRoute } from '../model/route.ts';
import type { Parcel } from './pack.ts';

/** Who sends. */
interface Sender {
  /** Names what we show the peer. */
  readonly keyDigest: string;
}

/** One user, and what came of it. */
export function sentRecord(
  { keyDigest }: Sender,
  route: PeerRoute,
  { record, userId, email }: Parcel,
  trace: string,
  outcome: { status: string; response: string; result?: string; code?: string },
): LogEntry {
  const { status, response, ...rest } = outcome;
  const content = {
    operation: record.kind === 'user' ? 'send' : 'remove',
    uid: record.uids[0],
    ...(userId === null ? {} : { userId }),
    ...(email === null ? {} : { email: maskEmail(email) }),
    ...(record.kind === 'user' ? { registers: Object.keys(record.registers) } : {}),
    ...rest,
  };
  return { type: 'STREAM', peer: route.name, key: keyDigest, ip: null, status, response, content, trace };
}

/** A request that came to nothing. */
export function failedCall(
  { keyDigest }: Sender,
  route: PeerRoute,
  parcels: readonly Parcel[],
  trace: string,
  { code, message: response, httpStatus }: SyncError,
): LogEntry {
  const status = String(httpStatus ?? 'ERR');
  const content = { operation: 'send', code, records: parcels.length };
  return { type: 'STREAM', peer: route.name, key: keyDigest, ip: null, status, response, content, trace };
}

/** What was found out about the way to a peer. */
export function wayFound({ keyDigest }: Sender, peer: string, trace: string, response: string): LogEntry {
  const content = { operation: 'send', code: 'PEER_BLOCKED' };
  return { type: 'STREAM', peer, key: keyDigest, ip: null, status: 'OK', response, content, trace };
}
