import type { NativeId } from "./job.ts";

/** Elements of a job that one native array holds, and no later one: what was lost may have been submitted again. */
export type Held = { native: NativeId; elements: number[] };

/** Which native array stands for which elements, in the order in which they were submitted. */
export function heldBy(natives: NativeId[]): Held[] {
  const latest = new Map<number, NativeId>();
  for (const native of natives) for (const element of elementsOfNative(native)) latest.set(element, native);
  return natives.map((native) => ({
    native,
    elements: elementsOfNative(native).filter((element) => latest.get(element) === native),
  }));
}

/** The array that stands for an element; null where none does. */
export function holderOf(natives: NativeId[], element: number): NativeId | null {
  return natives.findLast((native) => holds(native, element)) ?? null;
}

/** How often an element was submitted again. */
export function timesResubmitted(natives: NativeId[], element: number): number {
  return Math.max(0, natives.filter((native) => holds(native, element)).length - 1);
}

/** The elements that an array was submitted with. */
export function elementsOfNative({ firstElement, elements, only }: NativeId): number[] {
  if (only) return only.map((index) => firstElement + index);
  return Array.from({ length: elements }, (_, index) => firstElement + index);
}

function holds({ firstElement, elements, only }: NativeId, element: number): boolean {
  const index = element - firstElement;
  return only ? only.includes(index) : index >= 0 && index < elements;
}
