import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  canonicalEmail,
  freeUidOfEmail,
  incarnationOf,
  isUidOfEmail,
  makeNextUid,
  parseUid,
  uidOfEmail,
  uidsFromBytes,
  uidsOfEmail,
  uidsToBytes,
  uidToBytes,
  uniteUids,
  type Uid,
} from '../../src/model/uid.ts';

const uids: fc.Arbitrary<Uid> = fc.uuid().map((text) => parseUid(text) as Uid);
const random = (): Uid => '00000000-0000-4000-8000-000000000000' as Uid;

test('addresses that differ by case or blanks around them give the same uid, all others another', () => {
  expect(uidOfEmail(' Ana@Example.ORG ')).toBe(uidOfEmail('ana@example.org'));
  expect(uidOfEmail('jose@example.org')).not.toBe(uidOfEmail('josé@example.org'));
  fc.assert(
    fc.property(fc.emailAddress(), fc.emailAddress(), (a, b) => {
      expect(uidOfEmail(a) === uidOfEmail(b)).toBe(canonicalEmail(a) === canonicalEmail(b));
    }),
  );
});

test('the uid of an address is the same on every site, for ever', () => {
  expect(uidOfEmail('ana@example.org')).toBe('f5504434-e387-555b-aa14-cdb8aa303542');
});

test('uids survive their bytes', () => {
  fc.assert(
    fc.property(fc.array(uids, { maxLength: 9 }), (list) => {
      expect(uidsFromBytes(uidsToBytes(list))).toEqual(list);
      for (const uid of list) expect(uidToBytes(uid)).toHaveLength(16);
    }),
  );
});

test('only a UUID in lower case is a uid', () => {
  for (const text of ['', 'x', uidOfEmail('a@b').toUpperCase(), ` ${uidOfEmail('a@b')}`, `${uidOfEmail('a@b')}0`]) {
    expect(parseUid(text)).toBeUndefined();
  }
});

test('an address whose uid is used gives the next incarnation, and none when all are used', () => {
  const used = new Set([uidOfEmail('ana@x'), uidOfEmail('ana@x', 1)]);
  expect(freeUidOfEmail('ana@x', (uid) => used.has(uid))).toBe(uidOfEmail('ana@x', 2));
  expect(freeUidOfEmail('ana@x', () => true)).toBeUndefined();
});

test('an incarnation is recognised by its uid', () => {
  expect(new Set(uidsOfEmail('ana@x')).size).toBe(16);
  for (const [incarnation, uid] of uidsOfEmail('ana@x').entries()) {
    expect(incarnationOf([uidOfEmail('bob@x'), uid], 'ANA@x')).toBe(incarnation);
    expect(isUidOfEmail(uid, 'Ana@x')).toBe(true);
    expect(isUidOfEmail(uid, 'bob@x')).toBe(false);
  }
  expect(incarnationOf([uidOfEmail('bob@x', 3)], 'ana@x')).toBe(0);
});

test('an account that cannot keep its uids gets the next one of its address that is nobody’s', () => {
  const next = makeNextUid((uid) => uid === uidOfEmail('ana@x', 1), random);
  expect(next([uidOfEmail('ana@x')], 'ana@x')).toBe(uidOfEmail('ana@x', 2));
  expect(next([uidOfEmail('ana@x', 4)], 'ana@x')).toBe(uidOfEmail('ana@x', 5));
  expect(next([uidOfEmail('ana@x', 15)], 'ana@x')).toBe(random());
  expect(makeNextUid(() => true, random)([uidOfEmail('ana@x')], 'ana@x')).toBe(random());
});

test('united uids keep the first ones in front and no double', () => {
  fc.assert(
    fc.property(fc.uniqueArray(uids), fc.array(uids), (first, second) => {
      const both = uniteUids(first, second);
      expect(both.slice(0, first.length)).toEqual(first);
      expect(new Set(both)).toEqual(new Set([...first, ...second]));
      expect(both).toHaveLength(new Set(both).size);
    }),
  );
});
