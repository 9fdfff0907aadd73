import type { JobSpec } from "../../model/job.ts";
import type { Resources } from "../../model/resources.ts";

/** What starting and ending of one packed task may take beyond its limit, in seconds. */
const MARGIN_SECONDS = 5;

/**
 * What one element asks the scheduler for. The user's figures describe one task; an element that runs `pack.slots`
 * tasks at once asks for so many times the CPUs, memory and GPUs, and for the time of all its rounds. What was not
 * asked for stays absent, but for the CPUs of several tasks at once.
 */
export function elementResources(spec: Pick<JobSpec, "resources" | "run" | "tasks">): Resources {
  const { resources, run } = spec;
  if (run.pack.tasks === 1) return resources;
  const tasks = Math.min(run.pack.tasks, spec.tasks);
  const slots = Math.min(run.pack.slots, tasks);
  const rounds = Math.ceil(tasks / slots);
  const { timeSeconds, memBytes, cpus, gpus } = resources;
  return {
    ...resources,
    ...(timeSeconds === undefined ? {} : { timeSeconds: rounds * (timeSeconds + MARGIN_SECONDS) }),
    ...(memBytes === undefined ? {} : { memBytes: memBytes * slots }),
    ...(cpus === undefined && slots === 1 ? {} : { cpus: (cpus ?? 1) * slots }),
    ...(gpus === undefined ? {} : { gpus: { ...gpus, count: gpus.count * slots } }),
  };
}

/** How many elements may run at once, where at most so many tasks may. */
export function elementThrottle(run: JobSpec["run"]): number | null {
  if (run.parallel === null) return null;
  return Math.max(1, Math.floor(run.parallel / Math.min(run.pack.slots, run.pack.tasks)));
}
