/** Durations as people write them in the config: `500ms 5s 10m 6h 30d`. */

/** What a duration looks like; a JSON schema pattern as well. */
export const DURATION_PATTERN = '^\\d{1,12}(?:ms|s|m|h|d)$';

const MS_OF = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHAPE = new RegExp(DURATION_PATTERN);

/** Milliseconds of a duration; undefined where the text is none, or is too long to be counted exactly. */
export function parseDuration(text: string): number | undefined {
  if (!SHAPE.test(text)) return undefined;
  const digits = /^\d+/.exec(text)?.[0] ?? '';
  const ms = Number(digits) * MS_OF[text.slice(digits.length) as keyof typeof MS_OF];
  return Number.isSafeInteger(ms) ? ms : undefined;
}
