import { expect, test } from 'vitest';
import { birthsOf } from '../../src/model/births.ts';
import type { EmailTrust } from '../../src/model/proof.ts';
import { makeMayTell, type Candidate } from '../../src/plugin/may-tell.ts';

const origin = { site: 'cars', priority: 100 };
const validation = () => Promise.resolve({ sinceMs: Infinity, didAtFirstSight: false, isFirstSight: false });

/** Account 7, which nobody proved, and of which the peer said nothing. */
const unproved = (site: string, active = true): Candidate => {
  const born = { ms: 1_000, counter: 1, site, priority: 100 };
  const provenance = { births: birthsOf(born, 7), proof: null };
  const host = { id: 7, email: 'ana@example.com', active };
  return { host, stored: { provenance, shadow: { born } }, seen: undefined, link: 'none' } as unknown as Candidate;
};

test('of accounts that nobody proved, a plugin peer is told of active ones of this site, if its addresses count as proved', async () => {
  const told = async (emailTrust: EmailTrust, one: Candidate): Promise<boolean> =>
    (await makeMayTell({} as never, { origin, validation, emailTrust }))(one);
  expect(await told('verified', unproved('cars'))).toBe(true);
  expect(await told('verified', unproved('cars', false))).toBe(false);
  expect(await told('verified', unproved('jobs'))).toBe(false);
  expect(await told('unproven', unproved('cars'))).toBe(false);
});
