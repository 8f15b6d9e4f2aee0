/** Sizes as people write them in the config: `512B 64KiB 8MiB 1GiB`. */

/** What a size looks like; a JSON schema pattern as well. */
export const SIZE_PATTERN = '^\\d{1,12}(?:B|KiB|MiB|GiB)$';

const BYTES_OF = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const SHAPE = new RegExp(SIZE_PATTERN);

/** Bytes of a size; undefined where the text is none, or is too large to be counted exactly. */
export function parseSize(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const digits = /^\d+/.exec(text)?.[0] ?? '';
  const bytes = Number(digits) * BYTES_OF[text.slice(digits.length) as keyof typeof BYTES_OF];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
