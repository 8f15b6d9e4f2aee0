import { expect, test } from 'vitest';
import { isTrustedProxy } from '../../src/server/trusted-proxies.ts';

test.each([
  [['127.0.0.1'], '127.0.0.1', 0, true],
  [['127.0.0.1'], '::ffff:127.0.0.1', 0, true],
  [['127.0.0.1'], '127.0.0.2', 0, false],
  [['10.1.0.0/16'], '10.1.2.3', 0, true],
  [['10.1.0.0/16'], '10.1.2.3', 3, true],
  [['10.1.0.0/16'], '10.2.2.3', 0, false],
  [['10.1.0.0/16'], '::1', 0, false],
  [['2001:db8::/32'], '2001:db8:1::9', 0, true],
  [['2001:db8::1'], '2001:DB8:0:0::1', 0, true],
  [['127.0.0.1'], 'unknown', 0, false],
  [[], '127.0.0.1', 0, false],
  [false, '127.0.0.1', 0, false],
  [true, '127.0.0.1', 0, true],
  [true, '172.18.0.5', 0, true],
  [true, 'fd00::7', 0, true],
  [true, '172.18.0.5', 1, false],
  [true, '203.0.113.7', 0, false],
  [true, '2001:db8::1', 0, false],
] as const)('trust_proxy %j: %s at hop %i', (trusted, address, hop, expected) => {
  expect(isTrustedProxy(trusted, address, hop)).toBe(expected);
});
