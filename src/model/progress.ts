/** How far a feed is, in the words of the PHP plugin: administrators know them, and scripts read them. */

/** Figures of one page of a feed. */
export interface FeedFigures {
  /** Users that can be fed. */
  readonly total: number;
  /** Those of them after this page. */
  readonly remaining: number;
  /** Users in this page. */
  readonly retrieved: number;
  readonly limit: number;
  /** The page began after this id. */
  readonly after: number;
}

/** `Progress: 23.81% (Total stats - …)`. 100.00 where there are no users. */
export function formatProgress({ total, remaining, retrieved, limit, after }: FeedFigures): string {
  const taken = Math.max(0, total - remaining);
  return (
    `Progress: ${percentage(total, remaining)}% ` +
    `(Total stats - Retrieved: ${taken}, Remaining: ${remaining}, Total: ${total} / ` +
    `Last request stats - Retrieved : ${retrieved}, Limit: ${limit}, From user ID: ${after})`
  );
}

function percentage(total: number, remaining: number): string {
  return total === 0 ? '100.00' : ((Math.max(0, total - remaining) / total) * 100).toFixed(2);
}
