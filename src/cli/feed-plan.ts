/** What a dry run says of each user that would not stay as it is. */
import type { PageOutcome } from '../feed/puller.ts';
import { maskEmail } from '../model/log-entry.ts';

/** `update  j***@e***.com  #12  s_name, address`, or `park    j***@e***.com  EMAIL_TAKEN: why`. */
export function plannedLine({ result, operation, userId, email, registers, code, message }: PageOutcome): string {
  const isParked = result === 'parked' || result === 'retry';
  const who = [email === null ? '?' : maskEmail(email), ...(userId === null ? [] : [`#${userId}`])];
  const what = operation === 'update' ? registers.join(', ') : '';
  const why = code === undefined ? '' : `${code}: ${message ?? ''}`;
  return [(isParked ? 'park' : operation).padEnd(6), ...who, what, why].filter((part) => part !== '').join('  ');
}

/** The same as data. */
export function plannedDocument(outcome: PageOutcome): Record<string, unknown> {
  const { result, operation, userId, email, registers, code, message } = outcome;
  return {
    result,
    operation,
    user_id: userId,
    email: email === null ? null : maskEmail(email),
    registers,
    ...(code === undefined ? {} : { code, message }),
  };
}
