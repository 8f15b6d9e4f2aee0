/** Times in our own tables: DATETIME(3) in UTC, as every session of the pool has `time_zone='+00:00'`. */

/** `2024-05-01 10:00:00.123` for milliseconds since 1970. */
export function toSqlTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ');
}

/** Milliseconds since 1970 of a DATETIME or TIMESTAMP read as text. */
export function fromSqlTime(text: string): number {
  return Date.parse(`${text.replace(' ', 'T')}Z`);
}

/** ISO 8601 with milliseconds, or null. */
export function toIso(text: string | null): string | null {
  return text === null ? null : new Date(fromSqlTime(text)).toISOString();
}
