/** Consecutive numbers, both ends included. */
export type Range = [from: number, to: number];

/** Numbers as few ranges, in ascending order; duplicates count once. */
export function rangesOf(numbers: readonly number[]): Range[] {
  const ranges: Range[] = [];
  let last: Range | null = null;
  for (const number of isAscending(numbers) ? numbers : numbers.toSorted((a, b) => a - b)) {
    if (last && number <= last[1] + 1) last[1] = number;
    else ranges.push((last = [number, number]));
  }
  return ranges;
}

/** Whether none is less than the one before it: most lists are so, and a sort calls for each of their numbers. */
export function isAscending(numbers: readonly number[]): boolean {
  let before = Number.NEGATIVE_INFINITY;
  for (const number of numbers) {
    if (number < before) return false;
    before = number;
  }
  return true;
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
