import { showReference } from "../code/reference.ts";
import type { SpecDraft } from "../executor/contract.ts";
import { shellWords } from "../executor/run.ts";
import { formatDuration } from "../model/durations.ts";
import type { Entry, RunOptions } from "../model/job.ts";
import type { Resources } from "../model/resources.ts";
import { formatTaskId } from "../model/selectors.ts";
import { formatSize } from "../model/sizes.ts";
import { showRanges } from "./ranges.ts";

/** A label and what stands beside it. */
export type Fact = [label: string, text: string];

/** What a job asked for, as facts; what was not asked for is left out. */
export function requestFacts(spec: SpecDraft): Fact[] {
  const { origin } = spec;
  return present([
    entryFact(spec.entry),
    ["folder", spec.cwd],
    ["asks for", resourceWords(spec.resources).join(", ")],
    ["options", pairs(spec.options)],
    ["runs", runWords(spec.run).join(", ")],
    ["sets", pairs(spec.run.env)],
    ["setup", spec.run.setup.join("; ")],
    ["teardown", spec.run.teardown.join("; ")],
    ["launcher", shellWords(spec.run.launcher)],
    [
      "again from",
      origin ? formatTaskId(origin.job) + (spec.tasks > 0 ? `.${showRanges(origin.tasks, 6)}` : "") : "",
    ],
  ]);
}

/** A command, or the functions that the tasks call, each on a line of its own. */
function entryFact(entry: Entry): Fact {
  if (entry.kind === "command") {
    return ["command", entry.argv.length > 0 ? shellWords(entry.argv) : "each task has its own"];
  }
  const all = [entry, ...(entry.more ?? [])];
  const lines = all.slice(0, MOST_FUNCTIONS).map((one) => {
    const code = one.code === null ? "" : ` (snapshot ${one.code.slice(0, 12)})`;
    return `${showReference(one)}${code}`;
  });
  if (all.length > lines.length) lines.push(`… and ${all.length - lines.length} more`);
  return [all.length === 1 ? "function" : "functions", lines.join("\n")];
}

/** More of a job's functions are not listed. */
const MOST_FUNCTIONS = 6;

/** "time 1h 30m", "memory 4.0 GiB", ...: only what was asked for. */
function resourceWords(resources: Resources): string[] {
  const { timeSeconds, memBytes, cpus, gpus, nodes, ranksPerNode, partition, account, qos } = resources;
  return [
    ...(timeSeconds === undefined ? [] : [`time ${formatDuration(timeSeconds)}`]),
    ...(memBytes === undefined ? [] : [`memory ${formatSize(memBytes)}`]),
    ...(cpus === undefined ? [] : [`${cpus} CPUs`]),
    ...(gpus === undefined ? [] : [`${gpus.count} ${gpus.type ? `${gpus.type} ` : ""}GPUs`]),
    ...(nodes === undefined ? [] : [`${nodes} nodes`]),
    ...(ranksPerNode === undefined ? [] : [`${ranksPerNode} ranks per node`]),
    ...(partition === undefined ? [] : [`partition ${partition}`]),
    ...(account === undefined ? [] : [`account ${account}`]),
    ...(qos === undefined ? [] : [`qos ${qos}`]),
  ];
}

function runWords(run: RunOptions): string[] {
  return [
    ...(run.retries > 0 ? [`retries ${run.retries}`] : []),
    ...(run.requeue === null
      ? []
      : [run.requeue ? "requeued after preemption or timeout" : "never requeued"]),
    ...(run.parallel === null ? [] : [`at most ${run.parallel} tasks at once`]),
    ...(run.pack.tasks > 1 ? [packWords(run.pack)] : []),
    ...run.after.map(
      (one) =>
        `after ${formatTaskId(one.job)}${one.tasks ? `.${showRanges(one.tasks, 6)}` : ""} (${one.kind})`,
    ),
    ...(run.capture ? ["output captured as the result"] : []),
    ...(run.mergeOutput ? ["stderr in stdout"] : []),
    ...(run.distributed ? ["distributed variables"] : []),
    ...(run.cleanEnv ? ["clean environment"] : []),
  ];
}

function packWords({ tasks, slots }: RunOptions["pack"]): string {
  return `in packs of ${tasks}${slots === 1 ? ", one after the other" : ` with ${slots} of each at once`}`;
}

function pairs(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

function present(facts: Fact[]): Fact[] {
  return facts.filter(([, text]) => text !== "");
}
