/** Log records: what administrators read in the table and at `GET /v1/logs`. */
import { countCharacters } from './count-characters.ts';

/** `FEED`: user data of a peer arriving or asked for; `STREAM`: ours sent or served to a peer; `PROCESS`: a user stored here. */
export type LogType = 'FEED' | 'STREAM' | 'PROCESS';

/** One record to be written. Holds no secret; e-mails and values are masked by the writer of `content`. */
export interface LogEntry {
  readonly type: LogType;
  /** Name in the config, or null for a caller we do not know. */
  readonly peer: string | null;
  /** First 8 hex digits of the SHA-256 of the key that was used. */
  readonly key: string | null;
  /** Address of the other end. */
  readonly ip: string | null;
  /** HTTP code as text, or `OK` / `ERR`. */
  readonly status: string;
  /** What the other end said, or what was done. */
  readonly response: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** The same id at both ends of one exchange. */
  readonly trace: string;
}

/** `j***@e***.com`: enough to recognise an address one knows, not enough to learn one. */
export function maskEmail(email: string): string {
  const at = email.lastIndexOf('@');
  if (at < 1) return '***';
  const dot = email.lastIndexOf('.');
  const tail = dot > at ? email.slice(dot) : '';
  return `${firstOf(email)}***@${firstOf(email.slice(at + 1))}***${tail}`;
}

/** First character and length of a value: `J*** (11)`. Null stays null. */
export function maskValue(value: string | null): string | null {
  if (value === null || value === '') return value;
  return `${firstOf(value)}*** (${countCharacters(value)})`;
}

function firstOf(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0x2a);
}
