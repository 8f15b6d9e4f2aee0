/** What a log shows of values. Pure. */
import { maskValue } from '../model/log-entry.ts';
import { ROW } from '../model/register.ts';

/** Values as a log may show them; those of secrets not even masked. */
export function maskValues(values: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([column, value]) => [
      column,
      column === 's_password' || column === 's_secret'
        ? '***'
        : column === ROW
          ? value
          : typeof value === 'string' || value === null
            ? maskValue(value)
            : '(binary)',
    ]),
  );
}
