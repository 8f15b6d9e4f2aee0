import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problem.ts';
import { ENV, fixture, readSecret } from './config-fixtures.ts';

const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000_000);
const SECRET = 'Q7hunter2Q7hunter2Q7hunter2Q7';
const MINIMAL = fixture('minimal.yaml');

/** What a text comes to: `loaded`, the problems, or the crash that must not be. */
function outcome(text: string): string {
  try {
    parseConfig(text, 'config.yaml', ENV, readSecret);
    return 'loaded';
  } catch (error) {
    return error instanceof ConfigError ? error.format() : `crashed: ${String(error)}`;
  }
}

/** Pieces that mean something to YAML or to us. */
const WORDS = 'site peers api_key api_key_file name null 1 .nan 0x1F true << __proto__ constructor %YAML --- ...';
const MARKS = ': |\n|\n  |\n  - |- |{|}|[|]|,|&a |*a|!t |!!map |? |> |"|\'|${|${SHORT}|#|\t|\0|@|`|\ufeff|\r|\ud800';
const piece = fc.constantFrom('|', ...WORDS.split(' '), ...MARKS.split('|'));
const noise = fc.array(fc.oneof(piece, fc.string({ unit: 'binary', maxLength: 4 })), { maxLength: 40 });

/** The lines of the minimal config, some of them replaced by something else. */
const mutated = fc.tuple(fc.nat(12), fc.nat(60), noise).map(([line, at, junk]) => {
  const lines = MINIMAL.split('\n');
  const text = lines[line] ?? '';
  lines[line] = `${text.slice(0, at)}${junk.join('')}${text.slice(at)}`;
  return lines.join('\n');
});

const KEYS = 'site database http peers name url api_key api_key_file ssl ca columns custom'.split(' ');
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, 0, -1, 1.5, true, '', 'cars', 'https://cars.example.com', '/run/secrets/key', '${SHORT}'),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('tree'), { maxKeys: 6 }),
  ),
}));

describe(`whatever a config file holds (TEST_SEED=${SEED})`, () => {
  test.each([
    ['noise', noise.map((pieces) => pieces.join('')), 500],
    ['a config with noise in a line', mutated, 500],
    ['any tree', tree.map((value) => stringify(value)), 500],
  ] as const)('%s: nothing but a ConfigError is thrown', (_, texts, numRuns) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(outcome(text)).not.toMatch(/^crashed|^$/);
      }),
      { seed: SEED, numRuns },
    );
  });

  test('a secret that stands in its place is never shown, however it is written and whatever else is wrong', () => {
    const before = fc.constantFrom('', ...'" \' | > * & ! @ % { [ ` - ? :'.split(' '), '|\n    ', '- ', '? ', ': ');
    const after = fc.constantFrom('', '"', "'", '}', ']', ': ', ' #', '\\q"', '\n   x', ' x: y', '\t', '\n---\n');
    const place = fc.constantFrom('${CARS_API_KEY}', '${DB_PASSWORD}', '${HOMES_API_KEY}');
    fc.assert(
      fc.property(before, after, place, noise, (open, close, key, junk) => {
        const text = MINIMAL.replace(key, () => `${open}${SECRET}${close}`) + junk.join('');
        expect(outcome(text)).not.toMatch(/^crashed|hunter2Q7/);
      }),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
