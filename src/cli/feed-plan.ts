/** What a dry run says of each user that would not stay as it is. */
import type { PlannedUser } from '../feed/planned.ts';

/** `update  j***@e***.com  #12  s_name, address`, or `park    j***@e***.com  EMAIL_TAKEN: why`. */
export function plannedLine({ result, operation, user_id, email, registers, code, message }: PlannedUser): string {
  const isParked = result === 'parked' || result === 'retry';
  const who = [email ?? '?', ...(user_id === null ? [] : [`#${user_id}`])];
  const what = operation === 'update' ? registers.join(', ') : '';
  const why = code === undefined ? '' : `${code}: ${message ?? ''}`;
  return [(isParked ? 'park' : operation).padEnd(6), ...who, what, why].filter((part) => part !== '').join('  ');
}
