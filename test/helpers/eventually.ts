/**
 * Waits until `check` gives something truthy, asking every few milliseconds, and gives that back.
 * Fails with the last error or value after `timeoutMs` (10 s by default).
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { timeoutMs?: number; what?: string } = {},
): Promise<NonNullable<T>> {
  const deadline = performance.now() + (options.timeoutMs ?? 10_000);
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`${options.what ?? "The condition"} did not come true in time; last: ${String(last)}`);
    }
    await new Promise((resolve) => setImmediate(resolve));
    await Bun.sleep(5);
  }
}
