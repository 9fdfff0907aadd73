import { JobxError } from "../../errors.ts";
import { packedTasks } from "../../model/elements.ts";
import { heldBy } from "../../model/natives.ts";
import type { ElementStatus, ExecutorContext, JobRef, TaskSelection } from "../contract.ts";
import { commandError, matches, runPatiently, textOf } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import type { Target } from "./native.ts";
import { clusterOf, forgetStatus, statusOf } from "./status.ts";

/**
 * Tells the scheduler something about elements, in few commands, cluster by cluster. Elements that it does not know,
 * or whose id belongs to another submission by now, are left alone. Throws REFUSED or UNREACHABLE.
 */
export async function tellScheduler(
  definition: SchedulerDefinition,
  selections: TaskSelection[],
  context: ExecutorContext,
  what: string,
  argvs: (targets: Target[]) => string[][],
): Promise<void> {
  const jobs = selections.map(({ job }) => job);
  const live = liveElements(await statusOf(definition, jobs, context));
  const targets = selections.flatMap((selection) => targetsOf(selection, live.get(selection.job.id)));
  const { cluster: own } = await limitsOf(definition, context);
  for (const [cluster, group] of Map.groupBy(targets, ({ native }) => clusterOf(native, own))) {
    for (const argv of argvs(group)) {
      const result = await runPatiently(definition, context, argv, cluster);
      if (result.code === 0 || matches(definition.goneErrors, textOf(result))) continue;
      if (cluster !== null && matches(definition.clusterErrors, textOf(result))) throw elsewhere(cluster);
      throw commandError(definition, `${definition.name} did not ${what}`, argv, result);
    }
  }
  if (targets.length > 0) await forgetStatus(definition, jobs, context);
}

/** The native elements that a selection means: whole arrays where it can be, and of a packed element all or nothing. */
function targetsOf({ job, tasks }: TaskSelection, live: Set<number> | undefined): Target[] {
  if (!live) return [];
  const wanted = tasks === null ? null : wantedElements(job, new Set(tasks));
  return heldBy(job.natives).flatMap(({ native, elements }) => {
    const own = elements.filter((element) => live.has(element));
    const chosen = wanted === null ? own : own.filter((element) => wanted.has(element));
    if (chosen.length === 0) return [];
    const isWhole = wanted === null || chosen.length === own.length;
    const indices = isWhole ? null : chosen.map((element) => element - native.firstElement);
    return [{ native, indices, isArray: native.elements > 1 }];
  });
}

/** A task that shares its element with others is told by its folder alone. */
function wantedElements(job: JobRef, tasks: Set<number>): Set<number> {
  const { pack } = job.spec.run;
  const elements = new Set([...tasks].map((task) => Math.floor(task / pack.tasks)));
  if (pack.tasks === 1) return elements;
  for (const element of elements) {
    for (const task of packedTasks(job.spec, element)) {
      if (!tasks.has(task)) elements.delete(element);
    }
  }
  return elements;
}

function liveElements(statuses: ElementStatus[]): Map<number, Set<number>> {
  const live = new Map<number, Set<number>>();
  for (const { job, element, state } of statuses) {
    if (state !== "queued" && state !== "running") continue;
    const known = live.get(job);
    if (known) known.add(element);
    else live.set(job, new Set([element]));
  }
  return live;
}

function elsewhere(cluster: string): JobxError {
  return new JobxError("REFUSED", `The job is on the cluster ${cluster}, which cannot be reached from here`, {
    hint: `Run this on a host of ${cluster}`,
  });
}
