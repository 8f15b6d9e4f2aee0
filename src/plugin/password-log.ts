/** Log records about what comes from peers that run the PHP plugin. */
import type { RecordSource, Outcome } from '../model/outcome.ts';
import { ERRORS } from '../model/errors.ts';
import { maskEmail, type LogEntry } from '../model/log-entry.ts';

/** A new account came without a password that could be stored. */
export function passwordEntry(from: RecordSource, outcome: Outcome): LogEntry {
  return {
    type: 'PROCESS',
    peer: from.route.name,
    key: from.keyDigest,
    ip: from.ip,
    status: 'OK',
    response: `${ERRORS.PASSWORD_MISSING.meaning} ${ERRORS.PASSWORD_MISSING.remedy}`,
    content: {
      operation: 'insert',
      code: 'PASSWORD_MISSING',
      uid: outcome.uid,
      ...(outcome.userId === null ? {} : { userId: outcome.userId }),
      ...(outcome.email === null ? {} : { email: maskEmail(outcome.email) }),
    },
    trace: from.trace,
  };
}
