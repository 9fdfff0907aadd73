import type { Executor } from "../executor/contract.ts";
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
  const size = executor.capabilities.wholeJob ? spec.tasks : spec.run.pack.tasks;
  const end = Math.min((element + 1) * size, spec.tasks);
  for (let task = element * size; task < end; task++) yield task;
}
