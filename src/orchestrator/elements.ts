import type { Executor } from "../executor/contract.ts";
import { packedTasks } from "../model/elements.ts";
import type { JobSpec } from "../model/job.ts";

/** How many elements an executor sees of a job. */
export function elementsOf(executor: Executor, spec: Pick<JobSpec, "tasks" | "run">): number {
  return executor.capabilities.wholeJob ? 1 : Math.ceil(spec.tasks / spec.run.pack.tasks);
}

/** The tasks that an element runs. */
export function* tasksOfElement(
  executor: Executor,
  spec: Pick<JobSpec, "tasks" | "run">,
  element: number,
): Iterable<number> {
  if (executor.capabilities.wholeJob) yield* Array(spec.tasks).keys();
  else yield* packedTasks(spec, element);
}
