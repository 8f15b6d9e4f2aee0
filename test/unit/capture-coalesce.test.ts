import { describe, expect, it } from 'vitest';
import { coalesce } from '../../src/capture/coalesce.ts';
import type { Marker } from '../../src/store/markers.ts';

/** `U 5`, `U 5<7`: account 7 got the id 5; `D 5 ana@x.y`; one millisecond after the other. */
function markers(...texts: string[]): Marker[] {
  return texts.map((text, index) => {
    const [op = '', ids = '', email] = text.split(' ');
    const [userId, oldUserId] = ids.split('<').map(Number);
    return {
      seq: String(index),
      userId: userId as number,
      op: op as Marker['op'],
      oldEmail: email ?? null,
      oldUserId: oldUserId ?? (op === 'U' ? (userId as number) : null),
      atMs: index,
    };
  });
}

const movesOf = (...texts: string[]): [number, number][] => [...coalesce(markers(...texts)).moves];
const idsOf = (...texts: string[]): number[] => [...coalesce(markers(...texts)).marked.keys()];

describe('markers of keys that changed', () => {
  it('follow an account from id to id', () => {
    expect(movesOf('U 6<5', 'U 7<6')).toEqual([[5, 7]]);
    expect(movesOf('U 6<5', 'U 5<6')).toEqual([]);
  });

  it('tell two that change places from two that do not', () => {
    expect(movesOf('U 9<5', 'U 5<7', 'U 7<9')).toEqual([
      [7, 5],
      [5, 7],
    ]);
  });

  it('are of who came to the id later, where another was registered under the old one', () => {
    expect(movesOf('U 9<5', 'I 5', 'U 20<5')).toEqual([[5, 9]]);
    expect(idsOf('U 9<5', 'I 5', 'U 20<5')).toEqual([9, 20]);
  });

  it('take along what was marked under the old id', () => {
    const { marked } = coalesce(markers('I 5', 'R 5', 'U 9<5', 'D 9 ana@x.y'));
    const expected = { atMs: 3, inserted: true, startsAnew: true, mailedElsewhere: false, deletedEmail: 'ana@x.y' };
    expect([...marked]).toEqual([[9, expected]]);
  });

  it('end before an account gets the id of one that was deleted or registered', () => {
    expect(coalesce(markers('U 1', 'D 5 ana@x.y', 'U 5<7')).used).toBe(2);
    expect(coalesce(markers('I 5', 'U 5<7')).used).toBe(1);
    expect(coalesce(markers('U 5', 'U 5<7')).used).toBe(2);
  });

  it('of a text that came to belong to another user mark both, and move nobody', () => {
    expect(movesOf('R 4<3')).toEqual([]);
    expect(new Set(idsOf('R 4<3'))).toEqual(new Set([3, 4]));
  });

  it('of codes that may have been mailed to another address say so, whatever else happened to the account', () => {
    const { marked } = coalesce(markers('U 5', 'E 5', 'U 6', 'U 7 ana@x.y', 'U 7'));
    expect([...marked].map(([id, { mailedElsewhere }]) => [id, mailedElsewhere])).toEqual([
      [5, true],
      [6, false],
      [7, true],
    ]);
  });

  it('of triggers that did not tell the old id mark the new one', () => {
    const [marker] = markers('U 5');
    expect(coalesce([{ ...(marker as Marker), oldUserId: null }])).toMatchObject({ used: 1, moves: new Map() });
  });
});
