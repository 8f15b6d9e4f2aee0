/** Work on many items, several at a time. */

/**
 * Runs `work` on every item, in order, on at most `atOnce` of them at a time. After a failure no further item is begun; once
 * those under way have ended, throws what was thrown first.
 */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) {
      try {
        await work(item);
      } catch (error) {
        failures.push(error);
        left.length = 0;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** All of them, in order, in arrays of that length; the last may be shorter. */
export function slices<T>(all: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, n) => all.slice(n * length, (n + 1) * length));
}

/** All of them, in order, in arrays of at most that weight and length; one that weighs more by itself is alone. */
export function slicesOfWeight<T>(
  all: readonly T[],
  weightOf: (item: T) => number,
  { most, length = Infinity }: { readonly most: number; readonly length?: number },
): T[][] {
  const parts: T[][] = [];
  let weight = Infinity;
  for (const item of all) {
    const own = weightOf(item);
    const last = parts.at(-1);
    if (last === undefined || weight + own > most || last.length === length) {
      parts.push([item]);
      weight = own;
    } else {
      last.push(item);
      weight += own;
    }
  }
  return parts;
}
