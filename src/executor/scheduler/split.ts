import type { NativeId } from "../../model/job.ts";
import { elementsOfNative } from "../../model/natives.ts";

/** A part of a job's elements that fits into one native array. */
export type Part = {
  firstElement: number;
  elements: number;
  /** At most so many at once; null for no limit. */
  parallel: number | null;
  /** The part that must have ended before this one begins, by position; null for none. */
  behind: number | null;
  /** How many digits of an element's number are its index in the part; 0 where the job is in one part. */
  digits: number;
  /** Indices in the part, where only some of its elements are submitted again. */
  only?: number[];
};

/**
 * Splits `elements` into as few arrays as the limit allows: one where they fit. Parts of a larger job have a power of
 * ten of elements, so that an element's number is the part's, followed by its index in it. A throttle is shared out
 * between the parts; where there are more parts than it allows elements, parts wait for each other in lanes.
 */
export function splitArray(elements: number, limit: number | null, parallel: number | null): Part[] {
  if (limit === null || elements <= limit) {
    return [{ firstElement: 0, elements, parallel, behind: null, digits: 0 }];
  }
  const digits = Math.floor(Math.log10(Math.max(1, limit)) + 1e-9);
  const size = 10 ** digits;
  const count = Math.ceil(elements / size);
  return Array.from({ length: count }, (_, part) => ({
    firstElement: part * size,
    elements: Math.min(size, elements - part * size),
    parallel: parallel === null ? null : shareOf(parallel, count, part),
    behind: parallel !== null && part >= parallel ? part - parallel : null,
    digits,
  }));
}

/**
 * The parts that run some elements of a submitted job again: each goes by the numbers of the array that first held it.
 * The throttle is shared out between them.
 */
export function partsAgain(natives: NativeId[], elements: number[], parallel: number | null): Part[] {
  const first = natives.filter((native) => native.only === undefined);
  const digits = first.length > 1 ? Math.round(Math.log10(first[0]?.elements ?? 1)) : 0;
  const wanted = new Set(elements);
  const parts = first.flatMap((native) => {
    const only = elementsOfNative(native)
      .filter((element) => wanted.has(element))
      .map((element) => element - native.firstElement);
    return only.length === 0 ? [] : [{ native, only }];
  });
  return parts.map(({ native: { firstElement, elements: size }, only }, part) => ({
    firstElement,
    elements: size,
    parallel: parallel === null ? null : shareOf(parallel, parts.length, part),
    behind: null,
    digits,
    ...(size > 1 && { only }),
  }));
}

function shareOf(parallel: number, parts: number, part: number): number {
  if (parallel <= parts) return 1;
  return Math.floor(parallel / parts) + (part < parallel % parts ? 1 : 0);
}
