/**
 * Last seen: what a plugin peer has of a user, as far as we know. Of each column the hash of what it last said and of
 * what it was last sent: a value that is neither is a change made there. Both are needed, for a peer may leave out what
 * it was sent, and then repeats what it had. Pure.
 */
import { hash } from 'node:crypto';
import { comparable } from './text.ts';

/** Of one column. */
export interface Impression {
  readonly said?: string;
  readonly sent?: string;
}

/** By column; descriptions as `user_description:LOCALE`. */
export type Memory = ReadonlyMap<string, Impression>;

const HASH_HEX = 12;

/** Digest of a value and of everything the plugin may have made of it. */
export function impress(column: string, value: string | null): string {
  const plain = comparable(value);
  // Places of a coordinate, whatever the number of digits the column prints.
  const text = column.startsWith('d_') && plain.includes('.') ? plain.replace(/\.?0+$/, '') : plain;
  return hash('sha256', text, 'hex').slice(0, HASH_HEX);
}

/** True if the value is nothing new to somebody who remembers this. */
export function isFamiliar(impression: Impression | undefined, digest: string): boolean {
  return impression !== undefined && (impression.said === digest || impression.sent === digest);
}

/** The memory after the peer said these. */
export function afterSaying(memory: Memory | undefined, said: ReadonlyMap<string, string>): Memory {
  return merged(memory, said, (before, digest) => ({ ...before, said: digest }));
}

/** The memory after the peer was sent these. */
export function afterSending(memory: Memory | undefined, sent: ReadonlyMap<string, string>): Memory {
  return merged(memory, sent, (before, digest) => ({ ...before, sent: digest }));
}

/** Text for the database: `{"s_name":"SAID/SENT"}`. */
export function packMemory(memory: Memory): string {
  return JSON.stringify(
    Object.fromEntries([...memory].map(([column, { said = '', sent = '' }]) => [column, `${said}/${sent}`])),
  );
}

/** Reads what {@link packMemory} wrote. */
export function unpackMemory(text: string): Memory {
  const entries = Object.entries(JSON.parse(text) as Record<string, string>);
  return new Map(
    entries.map(([column, pair]) => {
      const [said = '', sent = ''] = pair.split('/');
      return [column, { ...(said === '' ? {} : { said }), ...(sent === '' ? {} : { sent }) }];
    }),
  );
}

function merged(
  memory: Memory | undefined,
  digests: ReadonlyMap<string, string>,
  change: (before: Impression | undefined, digest: string) => Impression,
): Memory {
  const after = new Map(memory);
  for (const [column, digest] of digests) after.set(column, change(after.get(column), digest));
  return after;
}
