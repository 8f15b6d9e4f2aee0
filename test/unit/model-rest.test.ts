import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ERRORS, SyncError, entryOf } from '../../src/model/errors.ts';
import { maskEmail, maskValue } from '../../src/model/log-entry.ts';
import { formatProgress } from '../../src/model/progress.ts';
import { makeSelection, makeSendSelection } from '../../src/model/policy.ts';
import { routesFor, type PeerRoute } from '../../src/model/route.ts';
import type { Stamp } from '../../src/model/stamp.ts';
import { gatherTombstones, removalIdOf } from '../../src/model/tombstone.ts';
import { uidOfEmail } from '../../src/model/uid.ts';

describe('progress', () => {
  const figures = { total: 21, remaining: 16, retrieved: 5, limit: 5, after: 0 };

  test('is told in the words of the PHP plugin', () => {
    expect(formatProgress(figures)).toBe(
      'Progress: 23.81% (Total stats - Retrieved: 5, Remaining: 16, Total: 21 / Last request stats - Retrieved : 5, Limit: 5, From user ID: 0)',
    );
  });

  test('is complete where there is nobody, and never below nothing', () => {
    expect(formatProgress({ ...figures, total: 0, remaining: 0 })).toMatch(/^Progress: 100\.00% /);
    expect(formatProgress({ ...figures, remaining: 0 })).toMatch(/^Progress: 100\.00% /);
    expect(formatProgress({ ...figures, remaining: 30 })).toMatch(/^Progress: 0\.00% \(Total stats - Retrieved: 0,/);
  });
});

describe('what a log shows of personal data', () => {
  test('is enough to recognise an address one knows', () => {
    expect(maskEmail('joe@example.com')).toBe('j***@e***.com');
    expect(maskEmail('joe@localhost')).toBe('j***@l***');
    for (const odd of ['', 'x', '@x.org']) expect(maskEmail(odd)).toBe('***');
  });

  test('is the first character and the length of a value', () => {
    expect(maskValue('Jürgen')).toBe('J*** (6)');
    expect(maskValue('🦊🦊')).toBe('🦊*** (2)');
    expect([maskValue(''), maskValue(null)]).toEqual(['', null]);
  });

  test('is never the whole of a value or an address', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 4 }), fc.emailAddress(), (value, email) => {
        expect(maskValue(value)).not.toContain(value);
        const local = email.slice(0, email.lastIndexOf('@'));
        const domain = email.slice(email.lastIndexOf('@') + 1);
        expect(local.length > 1 && maskEmail(email).includes(`${local}@`)).toBe(false);
        expect(maskEmail(email)).not.toContain(domain);
      }),
    );
  });
});

describe('the error registry', () => {
  const entries = Object.entries(ERRORS);

  test('has codes in capitals, and a sentence for what happened and for what to do', () => {
    for (const [code, { meaning, remedy }] of entries) {
      expect(code).toMatch(/^[A-Z][A-Z_]*[A-Z]$/);
      expect(remedy, code).toMatch(/^[A-Z“`].*\.$/s);
      // These two are the words of the PHP plugin, which sends them without a stop.
      const isOfPlugin = code === 'API_KEY_MISSING' || code === 'API_KEY_INVALID';
      expect(meaning, code).toMatch(isOfPlugin ? /^[A-Z]/ : /^[A-Z].*\.$/s);
    }
  });

  test('gives statuses and exit codes that exist, and a person to whatever is parked', () => {
    for (const [code, { http, exit, reaction }] of entries) {
      expect(http, code).toBeGreaterThanOrEqual(200);
      expect(http, code).toBeLessThan(600);
      expect(reaction === 'park' && exit !== 3, code).toBe(false);
      expect(reaction === 'report' && http >= 500, code).toBe(false);
    }
  });

  test('is asked by error; what it does not know is internal', () => {
    expect(entryOf(new SyncError('EMAIL_TAKEN'))).toBe(ERRORS.EMAIL_TAKEN);
    expect(entryOf(new Error('x'))).toBe(ERRORS.INTERNAL);
    expect(new SyncError('PEER_TIMEOUT').message).toBe(ERRORS.PEER_TIMEOUT.meaning);
    const cause = new Error('below');
    expect(new SyncError('DB_ERROR', 'said', { cause, retryAfterS: 3 })).toMatchObject({
      message: 'said',
      cause,
      retryAfterS: 3,
    });
  });
});

test('a change goes to every peer we send such registers to, but not back', () => {
  const route = (name: string, list: readonly string[], send = true): PeerRoute => ({
    name,
    send,
    receive: true,
    emailTrust: 'auto',
    relay: false,
    removalMode: 'delete',
    sends: makeSendSelection(list, []),
    accepts: makeSelection('all', []),
    sanitize: 'none',
  });
  const routes = [route('a', ['s_name']), route('b', ['s_zip']), route('c', ['s_name'], false)];
  const names = (changed: readonly string[] | 'all', except?: string): string[] =>
    routesFor(routes, changed, except).map(({ name }) => name);
  expect(names(['s_name'])).toEqual(['a']);
  expect(names(['address', 's_phone'])).toEqual(['b']);
  expect(names(['s_email'])).toEqual(['a', 'b']);
  expect(names('all')).toEqual(['a', 'b']);
  expect(names('all', 'a')).toEqual(['b']);
  expect(names([])).toEqual([]);
});

describe('a tombstone', () => {
  const at = (ms: number): Stamp => ({ ms, counter: 1, site: 'cars', priority: 100 });
  const [ana, bob] = [uidOfEmail('ana@x'), uidOfEmail('bob@x')];

  test('is put together from its uids, the main one first, under the latest stamp', () => {
    const of = { births: undefined, heldUntilMs: undefined };
    const tombstoneRow = { main: ana, removalId: 7, emailHash: null, stamp: at(1), ...of };
    const tombstoneRows = [
      { ...tombstoneRow, uid: bob, stamp: at(3) },
      { ...tombstoneRow, uid: ana, emailHash: 'ab' },
      { ...tombstoneRow, uid: bob, removalId: 8, main: bob },
    ];
    expect(gatherTombstones(tombstoneRows)).toEqual(
      new Map([
        [7, { removalId: 7, uids: [ana, bob], stamp: at(3), emailHash: 'ab', ...of }],
        [8, { removalId: 8, uids: [bob], stamp: at(1), emailHash: null, ...of }],
      ]),
    );
  });

  test('has a number that JavaScript and the database hold exactly', () => {
    expect(Number.isSafeInteger(removalIdOf(ana))).toBe(true);
    expect(removalIdOf(ana)).not.toBe(removalIdOf(bob));
  });
});
