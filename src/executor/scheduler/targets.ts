import { elementOfTask, packedTasks } from "../../model/elements.ts";
import { heldBy } from "../../model/natives.ts";
import { isRequested, type RequestedTasks } from "../../store/requests.ts";
import type { ElementStatus, ExecutorContext, JobRef, TaskSelection } from "../contract.ts";
import { commandError, elsewhere, matches, runPatiently, textOf } from "./commands.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import type { Target } from "./native.ts";
import { clusterOf, forgetStatus, statusOf } from "./status.ts";

export type Telling = {
  /** What it is told, for errors: "cancel the job". */
  what: string;
  /** The tasks of which that was wanted before; they count where an element runs several. */
  requested?(dir: string): RequestedTasks;
  /** An element is told for any of its tasks, the others being kept from running by their folder. */
  isForAny?: boolean;
  argvs(targets: Target[]): string[][];
};

/**
 * Tells the scheduler something about elements, in few commands, cluster by cluster. Elements that it does not know,
 * or whose id belongs to another submission by now, are left alone. Throws REFUSED or UNREACHABLE.
 */
export async function tellScheduler(
  definition: SchedulerDefinition,
  selections: TaskSelection[],
  context: ExecutorContext,
  telling: Telling,
): Promise<void> {
  const jobs = selections.map(({ job }) => job);
  const live = liveElements(await statusOf(definition, jobs, context));
  const targets = selections.flatMap(({ job, tasks }) => {
    const own = live.get(job.id);
    return own
      ? targetsOf(job, own, tasks === null ? null : wantedElements(job, new Set(tasks), telling))
      : [];
  });
  const { cluster: own } = await limitsOf(definition, context);
  for (const [cluster, group] of Map.groupBy(targets, ({ native }) => clusterOf(definition, native, own))) {
    for (const argv of telling.argvs(group)) {
      const result = await runPatiently(definition, context, argv, cluster);
      if (result.code === 0 || matches(definition.goneErrors, textOf(result))) continue;
      if (cluster !== null && matches(definition.clusterErrors, textOf(result))) throw elsewhere(cluster);
      throw commandError(definition, `${definition.name} did not ${telling.what}`, argv, result);
    }
  }
  if (targets.length > 0) await forgetStatus(definition, jobs, context);
}

/** The native elements that are meant, null for all: whole arrays where it can be. */
function targetsOf(job: JobRef, live: Set<number>, wanted: Set<number> | null): Target[] {
  return heldBy(job.natives).flatMap(({ native, elements }) => {
    const own = elements.filter((element) => live.has(element));
    const chosen = wanted === null ? own : own.filter((element) => wanted.has(element));
    if (chosen.length === 0) return [];
    const isWhole = wanted === null || chosen.length === own.length;
    const indices = isWhole ? null : chosen.map((element) => element - native.firstElement);
    return [{ native, indices, isArray: native.elements > 1 }];
  });
}

/** The elements of these tasks. One that runs others as well is told only where the same is wanted of all of them. */
function wantedElements(
  { spec, dir }: JobRef,
  tasks: Set<number>,
  { requested, isForAny }: Telling,
): Set<number> {
  const elements = new Set([...tasks].map((task) => elementOfTask(spec, task)));
  if (isForAny || spec.run.pack.tasks === 1) return elements;
  const before = requested?.(dir) ?? null;
  const isTold = (task: number) => tasks.has(task) || isRequested(before, task);
  return new Set([...elements].filter((element) => [...packedTasks(spec, element)].every(isTold)));
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
