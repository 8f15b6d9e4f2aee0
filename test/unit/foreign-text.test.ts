/** What foreign texts go through: that it does what the expressions it stands for did, and takes time by length alone. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutMarkup } from '../../src/model/markup.ts';
import { withoutLeadingZeros, withoutOuter, withoutTrailing, withoutTrailingZeros } from '../../src/model/trim-text.ts';

const SEED = 20_261_130;
const params = { seed: SEED, numRuns: 2000 };
/** Texts of the pieces that matter, in any order. */
const textOf = (...pieces: string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));

describe('scanners do what the expressions did that they replaced', () => {
  test('markup', () => {
    const markup = textOf('<!--', '-->', '<', '>', '</', 'script', 'STYLE', 'style ', 'b', ' ', '/', '!', '\n', 'é');
    const expected = (text: string): string =>
      text
        .replaceAll(/<!--.*?-->/gs, '')
        .replaceAll(/<(script)\b[^>]*>.*?<\/\1\s*>/gis, '')
        .replaceAll(/<(style)\b[^>]*>.*?<\/\1\s*>/gis, '')
        .replaceAll(/<\/?[a-z!?][^>]*>/gi, '');
    fc.assert(
      fc.property(markup, (text) => {
        expect(withoutMarkup(text)).toBe(expected(text));
      }),
      params,
    );
  });

  test('zeros and other ends of texts', () => {
    const number = textOf('-', '0', '00', '.', '7', 'x');
    fc.assert(
      fc.property(number, (text) => {
        expect(withoutTrailingZeros(text)).toBe(text.includes('.') ? text.replace(/\.?0+$/, '') : text);
        expect(withoutLeadingZeros(text)).toBe(text.replace(/^(-?)0+(?=\d)/, '$1'));
        expect(withoutTrailing(text, '0')).toBe(text.replace(/0+$/, ''));
        expect(withoutOuter(text, '0')).toBe(text.replaceAll(/^0+|0+$/g, ''));
      }),
      params,
    );
  });
});
