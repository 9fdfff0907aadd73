import { isAscending } from "./ranges.ts";

/** More tasks than this are refused: the largest array that Slurm can be built and configured for. */
export const MAX_TASKS = 4_000_000;

/**
 * Reads `0-9`, `1,3`, `1-10:2` and their combinations as sorted, distinct indices; a text when that cannot
 * be done, saying why. Shared by array specifications and selectors.
 */
export function parseIndexList(text: string): number[] | string {
  const indices = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?$/.exec(part);
    if (!match) return part === "" ? "a number is missing" : `"${part}" is no index`;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    const step = match[3] === undefined ? 1 : Number(match[3]);
    if (last < first) return `"${part}" runs backwards`;
    if (step === 0) return `"${part}" has a step of 0`;
    if ((last - first) / step >= MAX_TASKS) return `it has more than ${MAX_TASKS} indices`;
    for (let index = first; index <= last; index += step) indices.add(index);
    if (indices.size > MAX_TASKS) return `it has more than ${MAX_TASKS} indices`;
  }
  const list = [...indices];
  return isAscending(list) ? list : list.sort((a, b) => a - b);
}
