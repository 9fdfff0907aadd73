import { usageError } from "../errors.ts";
import type { JobSpec } from "../model/job.ts";

/** Which part of a job this supervisor runs. */
export type Element = {
  element: number;
  /** The rank of the supervisor itself, which names its segment. */
  rank: number;
  /** Its tasks: from `first` up to, not including, `end`. */
  first: number;
  end: number;
  /** How many tasks at once where no queue hands out slots. */
  slots: number;
};

/**
 * Reads `JOBX_ELEMENT` (and `JOBX_ELEMENT_RANK`), which a scheduler's script sets; without it the whole
 * job is one element, as on the local executor.
 */
export function elementOf(spec: JobSpec, env: Record<string, string | undefined>): Element {
  const { pack, parallel } = spec.run;
  const rank = env.JOBX_ELEMENT_RANK ? natural("JOBX_ELEMENT_RANK", env.JOBX_ELEMENT_RANK) : 0;
  if (!env.JOBX_ELEMENT) {
    return {
      element: 0,
      rank,
      first: 0,
      end: spec.tasks,
      slots: Math.min(parallel ?? pack.slots, spec.tasks),
    };
  }
  const element = natural("JOBX_ELEMENT", env.JOBX_ELEMENT);
  const first = element * pack.tasks;
  const end = Math.min(first + pack.tasks, spec.tasks);
  return { element, rank, first, end, slots: pack.slots };
}

function natural(name: string, text: string): number {
  if (!/^\d+$/.test(text)) throw usageError(`${name} is not a number: ${JSON.stringify(text)}`);
  return Number(text);
}
