import { describe, expect, test } from 'vitest';
import { birthsOf, isBehind, takeOverBirths } from '../../src/model/births.ts';
import { absorb, firstShadow } from '../../src/model/absorb.ts';
import {
  bestProof,
  codeAfterMove,
  firstProvenance,
  formatProof,
  isOf,
  judgeProof,
  parseProof,
  presentProof,
  proofOf,
  provenanceAfter,
  registeredProvenance,
  type Proof,
  type Provenance,
  type ProvingAccount,
} from '../../src/model/proof.ts';
import type { Values } from '../../src/model/register.ts';
import { formatStamp, type Stamp } from '../../src/model/stamp.ts';

const CARS = { site: 'cars', priority: 100 };
const validating = { sinceMs: 0, didAtFirstSight: true, isFirstSight: false };
const open = { sinceMs: Infinity, didAtFirstSight: false, isFirstSight: false };
const born: Stamp = { ms: 1_000, counter: 1, ...CARS };
const NEW_CODE = 'a'.repeat(30);
const DONE_CODE = 'b'.repeat(50);

interface Row {
  readonly email?: string;
  readonly active?: boolean;
  readonly password?: string;
  readonly code?: string | null;
  readonly isResetDone?: boolean;
}
const registersOf = ({ email = 'ana@x', active = true, password = 'hash' }: Row): Map<string, Values> =>
  new Map([
    ['s_email', { s_email: email }],
    ['password', { s_password: password }],
    ['status', { b_active: active ? '1' : '0', b_enabled: '1' }],
  ]);
const accountOf = ({ email = 'ana@x', active = true, code = null, isResetDone = false }: Row): ProvingAccount => ({
  id: 7,
  email,
  active,
  resetCode: code,
  isResetDone,
});

/** What is known of an account that was registered as `first` after it was seen as each of the others. */
function after(
  first: Row,
  later: readonly Row[],
  validation = validating,
): { provenance: Provenance; isProved: boolean } {
  let shadow = firstShadow(registersOf(first), born, born);
  let provenance = registeredProvenance(shadow, accountOf(first), CARS, validation);
  for (const [index, row] of later.entries()) {
    const next = absorb(shadow, registersOf(row), 2_000 + index, CARS, false);
    const change = { before: provenance, shadows: [shadow, next.shadow] as const, changed: next.changed };
    provenance = provenanceAfter({ ...change, account: accountOf(row) }, CARS, validation);
    shadow = next.shadow;
  }
  const last = accountOf(later.at(-1) ?? first);
  return { provenance, isProved: presentProof(provenance, last, shadow, CARS, validation) !== null };
}
const isProved = (...call: Parameters<typeof after>): boolean => after(...call).isProved;

describe('a registration', () => {
  test('proves the address if it is active, on a site that validates', () => {
    expect(isProved({}, [])).toBe(true);
    expect(isProved({ active: false }, [])).toBe(false);
    expect(isProved({}, [], open)).toBe(false);
  });

  test('is not proved if that was before the site was seen to validate, and is looked at only now', () => {
    const since = (sinceMs: number): typeof open => ({ sinceMs, didAtFirstSight: false, isFirstSight: false });
    expect(isProved({}, [], since(born.ms - 1))).toBe(true);
    expect(isProved({}, [], since(born.ms))).toBe(false);
    expect(isProved({}, [{ email: 'other@x' }], since(5_000))).toBe(false);
    expect(isProved({ active: false }, [{}], since(5_000))).toBe(false);
  });
});

describe('an account that is as it was at first sight', () => {
  const shadow = firstShadow(registersOf({}), born, born);
  const proofOn = (validation: typeof open, of: Row = {}, site = 'cars'): unknown =>
    presentProof(firstProvenance(shadow, accountOf(of), 0), accountOf(of), shadow, { site, priority: 1 }, validation);

  test('is proved if the site validated then, it is active, and it came to be here', () => {
    expect(proofOn(validating)).toEqual(proofOf('ana@x', 'cars', 1_000));
    expect(proofOn(open)).toBeNull();
    expect(proofOn({ sinceMs: 0, didAtFirstSight: false, isFirstSight: true })).toBeNull();
    expect(proofOn(validating, { active: false })).toBeNull();
    expect(proofOn(validating, {}, 'homes')).toBeNull();
  });
});

describe('a later act', () => {
  const request = { active: false, code: NEW_CODE };
  const done = { active: false, code: DONE_CODE, isResetDone: true };

  test('proves: an activation on a site that validates', () => {
    expect(isProved({ active: false }, [{}])).toBe(true);
    expect(isProved({ active: false }, [{}], open)).toBe(false);
  });

  test('does not prove: a change of address, whose link opens with any code that was mailed', () => {
    for (const validation of [validating, open]) {
      expect(isProved({}, [{ email: 'other@x' }], validation)).toBe(false);
      expect(isProved({ active: false }, [{ active: false, email: 'other@x' }], validation)).toBe(false);
    }
  });

  test('proves: a password set by the link in a mail, on any site', () => {
    for (const validation of [validating, open]) {
      expect(isProved({ active: false }, [request, { ...done, password: 'new' }], validation)).toBe(true);
      expect(isProved({ active: false }, [{ ...done, password: 'new' }], validation)).toBe(true);
    }
  });

  test('does not prove: a password set otherwise, after such a one too, nor a request', () => {
    expect(isProved({ active: false }, [{ active: false, password: 'new' }])).toBe(false);
    expect(isProved({ active: false }, [request])).toBe(false);
    expect(isProved({ active: false, code: DONE_CODE, isResetDone: true }, [{ ...done, password: 'new' }])).toBe(false);
  });

  test('does not prove an address by a link that was mailed to the one before', () => {
    const moved = { active: false, code: NEW_CODE, email: 'victim@x' };
    const set = { ...done, email: 'victim@x', password: 'new' };
    expect(isProved({ active: false }, [request, moved, set], open)).toBe(false);
    expect(isProved({ active: false }, [moved, set], open)).toBe(false);
    expect(isProved({ active: false }, [request, set], open)).toBe(false);
    expect(codeAfterMove({ resetCode: NEW_CODE, isResetDone: false })).toBeUndefined();
  });

  test('takes an account that nobody had proved over from whoever had it', () => {
    const taken = after({ active: false }, [request, { ...done, password: 'new' }]).provenance.births;
    expect(isBehind(birthsOf(born), taken)).toBe(true);
    expect(after({}, [{ code: NEW_CODE }, { ...done, active: true, password: 'new' }]).provenance.births).toEqual(
      birthsOf(born, 7),
    );
    const moved = { ...done, password: 'new', email: 'other@x' };
    expect(isBehind(birthsOf(born), after({ active: false }, [moved]).provenance.births)).toBe(true);
  });

  test('takes one over that somebody proved on another site than that of the registration, and only once', () => {
    const shadow = firstShadow(registersOf({}), born, born);
    const { shadow: later, changed } = absorb(shadow, registersOf({ password: 'new' }), 5_000, CARS, false);
    const account = accountOf({ code: DONE_CODE, isResetDone: true });
    const takenOver = (proof: Proof, births = birthsOf(born, 7)): boolean => {
      const before = { ...firstProvenance(shadow, accountOf({}), 0), births, proof };
      const { births: now } = provenanceAfter({ before, shadows: [shadow, later], changed, account }, CARS, validating);
      return isBehind(births, now);
    };
    const [there, here] = [proofOf('ana@x', 'homes', 3_000), proofOf('ana@x', 'cars', 3_000)];
    expect(takenOver(there)).toBe(true);
    expect(takenOver(here)).toBe(false);
    expect(takenOver(here, birthsOf({ ...born, site: 'homes' }, 9))).toBe(true);
    expect(takenOver(there, takeOverBirths({ ...born, ms: 4_000, site: 'homes' }, birthsOf(born, 7)))).toBe(false);
    // By the entry of a peer that is trusted it counts as proved since the registration.
    expect(takenOver(proofOf('ana@x', 'homes', born.ms))).toBe(false);
    // The other address is of whoever moved it there.
    expect(takenOver(proofOf('other@x', 'homes', 3_000))).toBe(false);
  });

  test('takes each of two accounts over by itself, also at one moment', () => {
    const births = ['ana@x', 'bob@x'].map((email) => {
      const taken = after({ active: false, email }, [{ ...done, email, password: 'new' }]).provenance.births;
      return [...taken.live].filter((birth) => birth !== formatStamp(born));
    });
    expect(births[0]).not.toEqual(births[1]);
  });
});

describe('a proof', () => {
  test('is of one address, however that is written', () => {
    const proof = proofOf(' Ana@X ', 'cars', 5);
    expect(isOf(proof, 'ana@x')).toBe(true);
    expect(isOf(proof, 'bob@x')).toBe(false);
    expect(parseProof(formatProof(proof))).toEqual(proof);
    expect(parseProof(formatProof(null))).toBeNull();
  });

  test('is the earliest of the address, everywhere the same', () => {
    const [first, second, others] = [
      proofOf('ana@x', 'cars', 5),
      proofOf('ana@x', 'homes', 5),
      proofOf('bob@x', 'a', 1),
    ];
    expect(bestProof([second, null, others, first, undefined], 'ana@x')).toEqual(first);
    expect(bestProof([others], 'ana@x')).toBeNull();
  });

  test('of a peer counts as far as its word is believed', () => {
    const said = proofOf('ana@x', 'jobs', 5);
    const judged = (
      trust: Parameters<typeof judgeProof>[2],
      proof: typeof said | null | undefined,
      active = true,
      site = 'homes',
    ): unknown => {
      const births = birthsOf({ ...born, site }, 7);
      return judgeProof({ proof, email: 'ana@x', active, born, births }, 'homes', trust)?.site ?? null;
    };
    expect([judged('auto', said), judged('auto', null), judged('auto', undefined)]).toEqual(['jobs', null, null]);
    expect([judged('verified', said), judged('verified', null)]).toEqual(['jobs', 'homes']);
    expect([judged('verified', undefined), judged('verified', undefined, false)]).toEqual(['homes', null]);
    expect([judged('verified', null, true, 'open'), judged('verified', said, true, 'open')]).toEqual([null, 'jobs']);
    expect([judged('unproven', said), judged('none', said)]).toEqual([null, null]);
  });
});
