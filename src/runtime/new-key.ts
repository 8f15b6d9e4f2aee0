/** New keys, tokens and passwords. */
import { randomBytes } from 'node:crypto';

/** 40 characters that need no quoting anywhere: 240 random bits. */
export function newKey(): string {
  return randomBytes(30).toString('base64url');
}
