/** The PROCESS record of an outcome. */
import { maskEmail, type LogEntry } from '../model/log-entry.ts';
import type { RecordSource, Outcome } from '../model/outcome.ts';

const DONE: Readonly<Record<Outcome['operation'], string>> = {
  insert: 'Account created',
  update: 'Account updated',
  link: 'Account recognised as one of ours',
  remove: 'Account removed',
  none: 'Nothing to do',
};

/** One record per processed user; `content.code` names the first thing that went otherwise than asked. */
export function processEntry(outcome: Outcome, from: RecordSource): LogEntry {
  const code = outcome.code ?? outcome.notes[0]?.code;
  const failed = outcome.result === 'parked' || outcome.result === 'retry';
  return {
    type: 'PROCESS',
    peer: from.route.name,
    key: from.keyDigest,
    ip: from.ip,
    status: failed ? 'ERR' : 'OK',
    response: (outcome.message ?? DONE[outcome.operation]).slice(0, 1000),
    content: {
      operation: outcome.operation,
      result: outcome.result,
      via: from.via,
      uid: outcome.uid,
      ...(outcome.userId === null ? {} : { userId: outcome.userId }),
      ...(outcome.email === null ? {} : { email: maskEmail(outcome.email) }),
      ...(outcome.registers.length === 0 ? {} : { registers: outcome.registers }),
      ...(code === undefined ? {} : { code }),
      ...(outcome.notes.length === 0 ? {} : { notes: outcome.notes }),
    },
    trace: from.trace,
  };
}
