interface Patience {
  timeoutMs?: number;
  intervalMs?: number;
}

/**
 * Runs `check` until it does not throw and returns what it returns. After `timeoutMs` the last error is thrown as it
 * is, so that a failing assertion reads as if it had stood alone. `check` runs at least once, must be repeatable, and
 * is never run twice at the same time; one that never settles is left to the test's own time limit.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 25 }: Patience = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() + intervalMs > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
