import type { JobSpec } from "./job.ts";

/** What decides which tasks an element runs. */
type Packed = Pick<JobSpec, "tasks" | "run">;

/** The tasks of one element of a native array: from `first` up to, not including, `end`. */
export function packOf({ tasks, run }: Packed, element: number): { first: number; end: number } {
  const first = element * run.pack.tasks;
  return { first, end: Math.min(first + run.pack.tasks, tasks) };
}

/** The element that runs a task. */
export function elementOfTask({ run }: Pick<JobSpec, "run">, task: number): number {
  return Math.floor(task / run.pack.tasks);
}

/** The tasks of an element, one by one. */
export function* packedTasks(spec: Packed, element: number): Iterable<number> {
  const { first, end } = packOf(spec, element);
  for (let task = first; task < end; task++) yield task;
}
