/** What a dry run says of a user, for people and programs: e-mail addresses are masked. */
import { maskEmail } from '../model/log-entry.ts';
import type { PageOutcome } from './puller.ts';

/** One user that would not stay as it is. */
export interface PlannedUser {
  readonly result: PageOutcome['result'];
  readonly operation: string;
  /** The user of this site, if there is one. */
  readonly user_id: number | null;
  /** Masked. */
  readonly email: string | null;
  /** Registers that would be taken over. */
  readonly registers: readonly string[];
  /** Why it would be parked. */
  readonly code?: string;
  readonly message?: string;
}

/** The users of a page that would change, or be parked. */
export function plannedUsers(outcomes: readonly PageOutcome[]): PlannedUser[] {
  return outcomes.filter((outcome) => outcome.result !== 'unchanged').map(plannedUser);
}

function plannedUser({ result, operation, userId, email, registers, code, message }: PageOutcome): PlannedUser {
  return {
    result,
    operation,
    user_id: userId,
    email: email === null ? null : maskEmail(email),
    registers,
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
  };
}
