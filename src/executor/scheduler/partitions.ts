import { JobxError } from "../../errors.ts";
import { formatDuration } from "../../model/durations.ts";
import { cpusOf, type Resources } from "../../model/resources.ts";
import { formatSize } from "../../model/sizes.ts";
import type { ExecutorContext, SpecDraft } from "../contract.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { partitionsOf } from "./limits.ts";
import type { Partition } from "./native.ts";
import { elementResources } from "./shape.ts";

/**
 * Refuses a job whose elements ask for more than the partition allows, naming the figures: schedulers accept such a job
 * and never start it. What is kept of the partitions is asked anew before that. Throws REFUSED.
 */
export async function checkPartition(
  definition: SchedulerDefinition,
  spec: SpecDraft,
  context: ExecutorContext,
): Promise<void> {
  for (const anew of [false, true]) {
    const allowed = await chosenPartitions(definition, spec, context, { anew });
    const excess = allowed.map((partition) => excessOf(spec, partition));
    const [first] = excess;
    if (!first || excess.includes(null)) return;
    if (anew) throw new JobxError("REFUSED", first, { hint: hintFor(spec) });
  }
}

/** The longest time that an element may ask for, in seconds; null without a limit, or where it is not known. */
export async function longestSeconds(
  definition: SchedulerDefinition,
  spec: SpecDraft,
  context: ExecutorContext,
): Promise<number | null> {
  if (spec.resources.timeSeconds === undefined) return null;
  const limits = (await chosenPartitions(definition, spec, context)).map(({ maxSeconds }) => maxSeconds);
  const known = limits.filter((limit) => limit !== null);
  return known.length === limits.length && known.length > 0 ? Math.max(...known) : null;
}

/** Those that the job may run in, as far as they are known; none where it asks for nothing that they limit. */
async function chosenPartitions(
  definition: SchedulerDefinition,
  spec: SpecDraft,
  context: ExecutorContext,
  options: { anew?: boolean } = {},
): Promise<Partition[]> {
  const { timeSeconds, cpus, memBytes, nodes, ranksPerNode } = spec.resources;
  if (!definition.partitions || (timeSeconds ?? cpus ?? memBytes ?? nodes ?? ranksPerNode) === undefined)
    return [];
  const names = definition.partitions.chosen(spec, context.env);
  if (names?.length === 0) return [];
  const known = (await partitionsOf(definition, context, options)) ?? [];
  return known.filter(({ name, isDefault }) => (names === null ? isDefault : names.includes(name)));
}

/** What is more than the partition allows; null where nothing is. */
function excessOf(spec: SpecDraft, partition: Partition): string | null {
  const asked = elementResources(spec);
  const who = spec.run.pack.tasks > 1 ? `An element of ${packOf(spec)}` : "A task";
  const where = `partition ${partition.name}`;
  const more = (what: string, has: string) => `${who} asks for ${what}, and ${where} ${has}`;
  const { maxSeconds, maxNodes, cpus, memBytes } = partition;
  if (isMore(asked.timeSeconds, maxSeconds))
    return more(`${formatDuration(asked.timeSeconds)}`, `allows ${formatDuration(maxSeconds ?? 0)}`);
  if (isMore(asked.nodes, maxNodes)) return more(`${asked.nodes} nodes`, `allows ${maxNodes}`);
  if (isMore(cpusAsked(asked), cpus))
    return more(`${cpusAsked(asked)} CPUs on a node`, `has nodes of ${cpus} at most`);
  if (isMore(asked.memBytes, memBytes))
    return more(
      `${formatSize(asked.memBytes)} of memory`,
      `has nodes of ${formatSize(memBytes ?? 0)} at most`,
    );
  return null;
}

function isMore(asked: number | undefined, allowed: number | null): asked is number {
  return asked !== undefined && allowed !== null && asked > allowed;
}

function cpusAsked(asked: Resources): number | undefined {
  return asked.cpus === undefined && asked.ranksPerNode === undefined ? undefined : cpusOf(asked);
}

function packOf({ run, tasks }: SpecDraft): string {
  const { pack } = run;
  return `${Math.min(pack.tasks, tasks)} tasks, ${Math.min(pack.slots, pack.tasks)} at once,`;
}

function hintFor({ run }: SpecDraft): string {
  const fewer = run.pack.tasks > 1 ? "Pack fewer tasks, ask for less" : "Ask for less";
  return `${fewer}, or name another partition with -p`;
}
