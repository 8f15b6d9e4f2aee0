/** Random bytes for secrets, drawn in larger portions: asking the system for a few at a time costs 5 µs each. */
import { randomBytes } from 'node:crypto';

const PORTION = 4096;

/** A source of random bytes fit for secrets; no byte is given out twice. */
export function makeRandomBytes(): (size: number) => Buffer {
  let [portion, at] = [Buffer.alloc(0), 0];
  return (size) => {
    if (size > PORTION) return randomBytes(size);
    if (at + size > portion.length) [portion, at] = [randomBytes(PORTION), 0];
    at += size;
    return portion.subarray(at - size, at);
  };
}
