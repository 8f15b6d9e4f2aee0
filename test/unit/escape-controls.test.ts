import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { escapeControls, escapeControlsIn, escapeOnOneLine } from '../../src/runtime/escape-controls.ts';
import { makeLogger } from '../../src/runtime/logger.ts';
import { csvLine } from '../../src/server/csv.ts';

/** What a terminal acts upon: all of Unicode's control characters but line ends and tabs, and those for the direction of text. */
const ACTS = /[^\P{Cc}\n\t\r]|\p{Bidi_Control}|[\u2028\u2029]/u;
const SAYS: readonly (readonly [string, string])[] = [
  ['\u001b[2J\u001b]0;owned\u0007', String.raw`\u001b[2J\u001b]0;owned\u0007`],
  ['\u009b31m', String.raw`\u009b31m`],
  ['all well\rfailed', String.raw`all well\u000dfailed`],
  ['\u202egnp.exe', String.raw`\u202egnp.exe`],
  ['a\u2028b\u007f\u0000', String.raw`a\u2028b\u007f\u0000`],
  ['line\r\nline\n\ttab', 'line\r\nline\n\ttab'],
  ['José 😀 漢字', 'José 😀 漢字'],
];

test.each(SAYS)('%j is shown as %j', (said, shown) => {
  expect(escapeControls(said)).toBe(shown);
  expect(escapeControls(shown)).toBe(shown);
});

test('no text has anything in it that a terminal acts upon', () => {
  const any = fc.string({ unit: 'binary', maxLength: 200 });
  fc.assert(
    fc.property(any, (text) => {
      const shown = escapeControls(text).replaceAll('\r\n', '\n');
      expect(shown).not.toMatch(ACTS);
      expect(shown).not.toContain('\r');
      expect(escapeOnOneLine(text)).not.toMatch(/[\n\r\t]/);
    }),
    { seed: 20_261_130, numRuns: 3000 },
  );
});

test('JSON stays JSON, and means the same', () => {
  const value = { text: SAYS.map(([said]) => said).join('') };
  const shown = escapeControls(JSON.stringify(value, null, 2));
  expect(shown).not.toMatch(ACTS);
  expect(JSON.parse(shown)).toEqual(value);
  expect(escapeControlsIn({ list: [value.text, 7, null] })).toEqual({ list: [escapeControls(value.text), 7, null] });
});

test('a line of the log has none, and is JSON that means the same', () => {
  const lines: string[] = [];
  const log = makeLogger({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
  const message = SAYS.map(([said]) => said).join('');
  log.warn({ message, err: new Error(message) }, 'phrase');
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toMatch(ACTS);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ message, err: { message } });
});

test('an export as CSV has none', () => {
  const record = { id: 1, type: 'FEED', peer: null, key: null, ip: null, date: '2024-01-01T00:00:00Z', status: 'OK' };
  const line = csvLine({
    ...record,
    type: 'FEED',
    response: '\u001b[31m=1+1\u009b',
    content: { a: '\u001b' },
    trace: 't',
  });
  expect(line).not.toMatch(ACTS);
});
