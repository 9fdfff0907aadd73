/**
 * The word of `known` that was probably meant by `word`, or null when none is near: at most one slip in
 * three letters (a swap of neighbours counts as one), or a beginning of at least three letters. Case, `-`
 * and `_` make no difference.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const wanted = plain(word);
  if (wanted === "") return null;
  let best: string | null = null;
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of known) {
    const other = plain(candidate);
    if (Math.abs(other.length - wanted.length) >= least) continue;
    const slips = distance(wanted, other);
    // A word of one letter is one slip away from every other one.
    if (slips < least && slips < Math.max(wanted.length, other.length)) {
      best = candidate;
      least = slips;
    }
  }
  if (best !== null || wanted.length < 3) return best;
  return known.find((candidate) => plain(candidate).startsWith(wanted)) ?? null;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll("_", "-");
}

/** Insertions, deletions, replacements and swaps of neighbours between two words. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, at(beforeLast, j - 2) + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: number[], index: number): number {
  return row[index] ?? 0;
}
