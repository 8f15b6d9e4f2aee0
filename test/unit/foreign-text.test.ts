/** What foreign texts go through: that it does what the expressions it stands for did, and takes time by length alone. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Value } from 'typebox/value';
import type { Column } from '../../src/db/catalog.ts';
import { maskEmail, maskValue } from '../../src/model/log-entry.ts';
import { withoutMarkup } from '../../src/model/markup.ts';
import { isWholeHash } from '../../src/model/password-hash.ts';
import { impress, impressTold } from '../../src/model/plugin-memory.ts';
import { cleanText, comparable, isOverflowing } from '../../src/model/plugin-text.ts';
import { WireRecord } from '../../src/model/record.ts';
import { hashValues } from '../../src/model/register.ts';
import { parseStamp } from '../../src/model/stamp.ts';
import { canonicalEmail } from '../../src/model/uid.ts';
import { inOneForm } from '../../src/osclass/column-values.ts';
import { asForm } from '../../src/osclass/form-text.ts';
import { slugOf } from '../../src/osclass/place-match.ts';
import { makeZone } from '../../src/osclass/timezone.ts';
import { whyUnstorable } from '../../src/osclass/values.ts';
import { rawField, readForm } from '../../src/plugin/form.ts';
import { readRow } from '../../src/plugin/row.ts';
import { echoOf, encodeForm, isMaskedHash, toPhpJson } from '../../src/plugin/wire.ts';
import { escapeControls, escapeOnOneLine } from '../../src/runtime/escape-controls.ts';
import { foreignAnswer } from '../../src/runtime/foreign-answer.ts';
import { redactText } from '../../src/runtime/redact.ts';
import { csvLine } from '../../src/server/csv.ts';
import { withoutLeadingZeros, withoutOuter, withoutTrailing, withoutTrailingZeros } from '../../src/model/trim-text.ts';

const SEED = 20_261_130;
const zone = makeZone('Europe/Berlin');
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

describe('time grows with the length alone, whatever the text', () => {
  const column = (type: string, more: Partial<Column> = {}): Column =>
    ({
      name: 'c',
      type,
      columnType: type,
      nullable: true,
      charset: 'utf8mb4',
      maxChars: 100,
      maxBytes: 400,
      precision: null,
      scale: null,
      unsigned: false,
      ...more,
    }) as unknown as Column;
  const COLUMNS = [
    column('varchar'),
    column('text', { maxBytes: 65_535 }),
    column('decimal', { precision: 10, scale: 6 }),
    column('float', { precision: 10 }),
    column('double', { precision: 10 }),
    column('datetime'),
    column('time'),
    column('int', { precision: 10 }),
    column('enum', { columnType: "enum('a','b')" }),
    column('set', { columnType: "set('a','b')" }),
  ];
  /** Everything that a text of a peer goes through before it is refused or stored. */
  const LOOKS: Readonly<Record<string, (text: string) => unknown>> = {
    cleanText,
    comparable,
    isOverflowing,
    withoutMarkup,
    isWholeHash,
    isMaskedHash,
    maskEmail,
    maskValue,
    canonicalEmail,
    redactText,
    escapeControls,
    escapeOnOneLine,
    parseStamp,
    'the name of a form': (text) => asForm('s_name', text),
    'the website of a form': (text) => asForm('s_website', text),
    'a coordinate, as it is remembered': (text) => impress('d_coord_lat', text),
    'a text, as it is remembered': (text) => impressTold('s_name', text, { maxChars: 100 }),
    'a value of each kind of column': (text) => COLUMNS.map((one) => inOneForm(one, text)),
    'whether each kind of column holds it': (text) => COLUMNS.map((one) => whyUnstorable(one, text)),
    'bytes of a column of bits': (text) => whyUnstorable(column('bit'), inOneForm(column('bit'), { hex: text })),
    'a form': readForm,
    'a key in a form': (text) => rawField(text, 'ascApiKey'),
    'a row': (text) =>
      readRow({
        pk_i_id: '7',
        s_email: 'a@b.c',
        s_name: text,
        s_password: text,
        d_coord_lat: text,
        s_username: text,
        dt_reg_date: text,
        user_description: [{ fk_c_locale_code: 'en_US', s_info: text }],
      }),
    'a row whose address it is': (text) => readRow({ pk_i_id: text, s_email: text }),
    'an echo': (text) => echoOf({ s_name: text, s_password: text }),
    'what is sent': (text) => encodeForm([['ascData[s_name]', text]]),
    'an answer to the plugin': (text) => toPhpJson({ status: 'OK', message: text, data: [text] }),
    'an answer of somebody else': (text) =>
      foreignAnswer(
        { status: 200, headers: { server: text, location: text, 'www-authenticate': text }, text },
        new URL('http://a.example'),
      ),
    'a hash of values': (text) => hashValues({ s_name: text }),
    'a line of an export': (text) =>
      csvLine({
        id: 1,
        type: 'FEED',
        peer: null,
        key: null,
        ip: null,
        date: '',
        status: 'OK',
        response: text,
        content: { text },
        trace: '',
      }),
    'a time of another zone': (text) => [zone.toUtc(text), zone.toLocal(text), zone.toEpochMs(text)],
    'the name of a place': (text) => slugOf(text),
    'a record, by its schema': (text) =>
      Value.Check(WireRecord, {
        kind: 'user',
        uids: [text],
        email: text,
        born: text,
        registers: { [text]: { stamp: text, values: { a: text, b: { hex: text }, c: { utc: text } } } },
      }),
  };
  const PIECES = [
    '0',
    '00',
    '1',
    '9',
    ' ',
    '\t',
    '\n',
    '\r',
    '\u0000',
    '<',
    '<!--',
    '-->',
    '<a',
    '<a ',
    '<script>',
    '<script',
    '</script',
    '</script ',
    '</style>',
    '<title',
    '&',
    '&amp',
    '&#1',
    '&amp;',
    '%',
    '%41',
    '[',
    ']',
    'a[b]',
    '=',
    '/',
    '//',
    '//a:',
    ':',
    '@',
    'a@',
    '.',
    'a.',
    ',',
    '-',
    '+',
    '*',
    "'",
    '"',
    '\\',
    '$',
    '$2y$',
    'token=',
    'Bearer aaaaaa ',
    'https://',
    '"status" ',
    'é',
    '\u0301',
    '\u0323',
    '😀',
    '\ud800',
    '\u202e',
    'İ',
    '12:',
    '2024-01-01 ',
  ];
  const SHORT = 2000;
  const TIMES_LONGER = 16;
  /** The system counts in steps; what is not linear takes hundreds. */
  const NOISE_MS = 10;

  /** Of the processor, for this thread, so that others who use it do not count. */
  const cpuMs = (look: (text: string) => unknown, text: string, times: number): number => {
    const began = process.threadCpuUsage();
    for (let n = 0; n < times; n += 1) {
      try {
        look(text);
      } catch {
        // Refused.
      }
    }
    const { user, system } = process.threadCpuUsage(began);
    return (user + system) / 1000;
  };
  /**
   * Looking at as much text takes as long, whether it is one text or 16; of what is not linear, one of four times the length
   * takes four times as long as four, and one of 16 times 16 times as long.
   */
  const isLinear = (look: (text: string) => unknown, make: (length: number) => string): boolean => {
    const [short, long] = [make(SHORT), make(TIMES_LONGER * SHORT)];
    // Caches and the collection of garbage have their say in each, so what is linear gets several tries.
    for (let attempt = 0; attempt < 8; attempt += 1) {
      if (cpuMs(look, long, 1) <= (TIMES_LONGER / 2) * cpuMs(look, short, TIMES_LONGER) + NOISE_MS) return true;
    }
    return false;
  };

  test.each(Object.entries(LOOKS))('in %s', (_name, look) => {
    const piece = fc.constantFrom(...PIECES);
    const parts = fc.tuple(
      fc.constantFrom('', ...PIECES),
      fc.oneof(
        piece,
        fc.tuple(piece, piece).map((two) => two.join('')),
      ),
      fc.constantFrom('', 'x', '1', '>', ...PIECES),
    );
    fc.assert(
      fc.property(parts, ([before, repeated, after]) => {
        const make = (length: number): string => before + repeated.repeat(Math.ceil(length / repeated.length)) + after;
        expect(isLinear(look, make)).toBe(true);
      }),
      { seed: SEED, numRuns: 200, examples: PIECES.map((one): [[string, string, string]] => [['1.', one, 'x']]) },
    );
  });

  test('and what is not linear is found', () => {
    expect(
      isLinear(
        (text) => text.replace(/0+$/, ''),
        (length) => `${'0'.repeat(length)}x`,
      ),
    ).toBe(false);
  });
});
