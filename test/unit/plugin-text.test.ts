import { describe, expect, test } from 'vitest';
import { cleanText, comparable, isOverflowing } from '../../src/model/plugin-text.ts';

/** What was sent, and what a real site with the plugin had afterwards. */
const STORED: readonly (readonly [string, string])[] = [
  ['1e5', '100000'],
  ['+491511234567', '491511234567'],
  [' 12', '12'],
  ['007', '007'],
  ['0x1A', '0x1A'],
  ['+0049', '49'],
  [' 007', '7'],
  ['-007', '-7'],
  ['.5', '0.5'],
  ['5.', '5'],
  ['0', '0'],
  ['1E2', '100'],
  ['l1\r\nl2\tTab\u0001 end', 'l1\nl2\tTab end'],
  ['a\u0085b\u009f', 'ab'],
  ['  A <b>x</b> & "q" \'s <3 1 < 2 > 1 &eacute; ', '  A x &amp; "q" \'s &lt;3 1 &lt; 2 &gt; 1 é '],
  ['<p style="color:red">Hi</p><script>x()</script>\r\n\r\nend', 'Hi\n\nend'],
  ['Stra&szlig;e 1 &amp; 2', 'Straße 1 &amp; 2'],
  ['smile 😀', 'smile ????'],
];

describe('what the plugin makes of a text', () => {
  test.each(STORED)('%j comes back as %j, and is the same', (sent, stored) => {
    expect(comparable(stored)).toBe(comparable(sent));
    expect(comparable(comparable(sent))).toBe(comparable(sent));
  });

  test.each([
    ['007', '7'],
    ['0049', '49'],
    ['12', '13'],
    ['a', 'A'],
    ['a b', 'ab'],
    ['<3', ''],
    ['+', ''],
    ['é', 'e'],
  ])('%j and %j are two', (one, other) => {
    expect(comparable(one)).not.toBe(comparable(other));
  });

  test('cleaning twice changes nothing more', () => {
    for (const [sent] of STORED) expect(cleanText(cleanText(sent))).toBe(cleanText(sent));
  });

  test('only a number that no float holds makes its database refuse the row', () => {
    expect(['1e999999', ' 1E400 ', '1e5', '007', '1e', 'x'].map(isOverflowing)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
