import type { JobSpec } from "../model/job.ts";
import { createMemoryGroup, type MemoryGroup } from "./cgroup.ts";
import { memoryReason } from "./reasons.ts";

/**
 * A control group for the processes of one attempt, where the job has a limit and one may be made; null leaves the
 * limit to the sampler. Only for commands: a runner lives longer than its task.
 */
export function limitMemory(spec: JobSpec, task: number, attempt: number): MemoryGroup | null {
  const { memBytes } = spec.resources;
  if (memBytes === undefined || spec.entry.kind !== "command") return null;
  return createMemoryGroup(`jobx-${process.pid}-${task}-${attempt}`, memBytes);
}

/**
 * Why an attempt failed whose processes the kernel has killed for want of memory, also where its command ended well
 * all the same: it has lost a part of itself. Null where none was killed. The group is gone afterwards.
 */
export function endMemoryLimit(group: MemoryGroup, spec: JobSpec, node: string): string | null {
  const limit = spec.resources.memBytes ?? 0;
  const reason = group.outOfMemoryKills() > 0 ? memoryReason(node, group.peakBytes() ?? limit, limit) : null;
  group.remove();
  return reason;
}
