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

/** Consecutive runs, both ends included, in ascending order; duplicates count once. */
export function rangesOf(numbers: readonly number[]): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && number <= last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
