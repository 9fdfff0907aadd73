import { rangesOf } from "../model/ranges.ts";

/**
 * Task numbers as a selector takes them: `0-4,7`. With more than `limit` parts the rest is counted:
 * `0,2,4 and 97 more`.
 */
export function showRanges(numbers: readonly number[], limit = Infinity): string {
  const ranges = rangesOf(numbers);
  const text = ranges.slice(0, limit).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  const left = ranges.slice(limit).reduce((sum, [from, to]) => sum + to - from + 1, 0);
  return left === 0 ? text.join(",") : `${text.join(",")} and ${left} more`;
}
