import type { JobSpec } from "../model/job.ts";
import { cpusOf, type Resources } from "../model/resources.ts";
import { homeOf, jobDir } from "../store/layout.ts";
import type { EnqueueRequest, QueueLimits, SlotShape } from "./protocol.ts";

/** A job as the queue is given it, made from its request on disk, so that it can be made again at any time. */
export function requestOf(spec: JobSpec, dir: string): EnqueueRequest {
  return {
    dir,
    job: spec.id,
    name: spec.name,
    token: spec.token,
    worker: [...spec.runtime, "_worker", dir],
    shape: shapeOf(spec.resources),
    tasks: spec.tasks,
    parallel: spec.run.parallel,
    after: spec.run.after.map(({ job, tasks, kind }) => ({
      dir: jobDir(homeOf(dir), job),
      job,
      tasks: tasks ?? null,
      kind,
    })),
    limits: limitsOf(spec.options),
  };
}

/** What one task occupies here: at least one CPU; memory counts only where it was asked for. */
export function shapeOf(resources: Resources): SlotShape {
  return {
    cpus: Math.max(1, cpusOf(resources)),
    memBytes: resources.memBytes ?? 0,
    gpus: resources.gpus?.count ?? 0,
  };
}

/** The local executor's options `cpus`, `mem`, `gpus` and `nice`. */
export function limitsOf(options: Record<string, unknown>): QueueLimits {
  return {
    cpus: numberOf(options["cpus"]),
    memBytes: numberOf(options["mem"]),
    gpus: numberOf(options["gpus"]),
    nice: numberOf(options["nice"]),
  };
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
