import { join } from "node:path";

import type { JobSpec } from "../../model/job.ts";
import { homeDirs, jobFiles } from "../../store/layout.ts";
import type { ExecutorContext, SpecDraft } from "../contract.ts";
import { shellWords } from "../run.ts";
import { arrayOf } from "./array.ts";
import type { SchedulerDefinition } from "./definition.ts";
import { limitsOf } from "./limits.ts";
import { longestSeconds } from "./partitions.ts";
import { elementThrottle } from "./shape.ts";
import { splitArray } from "./split.ts";

/** How many submit commands a plan shows before it says how many more there are. */
const SHOWN = 3;

/** The batch script and the submit commands of a job; `JOB` stands for the id that it does not have yet. */
export async function planArrays(
  definition: SchedulerDefinition,
  draft: SpecDraft,
  context: ExecutorContext,
): Promise<string> {
  const dir = join(homeDirs.jobs(context.home), "JOB");
  const spec: JobSpec = { ...draft, id: 0, runtime: context.runtime };
  const elements = Math.ceil(spec.tasks / spec.run.pack.tasks);
  const cluster = definition.cluster?.(spec, context.env);
  const { maxArraySize } = await limitsOf(definition, context, { cluster });
  const parts = splitArray(elements, maxArraySize, elementThrottle(spec.run));
  const request = { spec, dir, worker: [...context.runtime, "_worker", dir] };
  const longest = await longestSeconds(definition, spec, context);
  const arrays = parts.map((part) => arrayOf(request, part, [], context, longest));
  const [first] = arrays;
  const commands = arrays
    .slice(0, SHOWN)
    .map((array) => `$ ${shellWords(definition.submit.argv(array, jobFiles.script(dir)))}`);
  if (arrays.length > SHOWN) commands.push(`… and ${arrays.length - SHOWN} more like it`);
  return [...commands, `${jobFiles.script(dir)}:`, first ? indent(definition.script(first)) : ""].join("\n");
}

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
