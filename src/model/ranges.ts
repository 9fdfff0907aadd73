/** Consecutive numbers, both ends included. */
export type Range = [from: number, to: number];

/** Numbers as few ranges, in ascending order; duplicates count once. */
export function rangesOf(numbers: readonly number[]): Range[] {
  const ranges: Range[] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && number <= last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}

/** The number at a place in ranges, counted from 0; null behind their end. */
export function numberAt(ranges: readonly Range[], place: number): number | null {
  let left = place;
  for (const [from, to] of ranges) {
    if (left <= to - from) return from + left;
    left -= to - from + 1;
  }
  return null;
}
