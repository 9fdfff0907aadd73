import type { SpecDraft } from "../executor/contract.ts";
import { shellWords } from "../executor/run.ts";
import type { TaskPayload } from "../model/job.ts";
import { fillTemplate } from "../model/placeholders.ts";
import { absenceOf } from "./presence.ts";
import type { Services } from "./services.ts";
import { type PreparedJob, prepareJob, type SubmitInput } from "./submit.ts";
import { callWords, taskWords } from "./task-words.ts";

/** How many tasks a plan shows before it says how many more there are. */
const SHOWN = 5;

/** What a submission would be: a title, the request, and the lines of what the executor would do with the tasks. */
export type Plan = { title: string; draft: SpecDraft; lines: string[] };

/**
 * What `submit` would do, checked as it checks, with nothing written and no executor told. An executor that is not on
 * this machine is no obstacle: a note says so.
 */
export async function planJob(services: Services, input: SubmitInput): Promise<Plan> {
  return await planDraft(services, await prepareJob(services, input), input.tasks);
}

/** The same of a request that has been checked. */
export async function planDraft(
  services: Services,
  { executor, context, draft }: Pick<PreparedJob, "executor" | "context" | "draft">,
  payloads: Iterable<TaskPayload>,
): Promise<Plan> {
  const absence = await absenceOf(executor, context);
  if (absence !== null) services.note(`${absence}. A submission would be refused`);
  const tasks = `${draft.tasks} ${draft.tasks === 1 ? "task" : "tasks"}`;
  const title = `Would submit ${tasks} to ${executor.name} as ${JSON.stringify(draft.name)}, in ${draft.cwd}`;
  const lines: string[] = [];
  const plan = await executor.plan?.(draft, context);
  if (plan) lines.push(plan);
  let index = 0;
  for (const task of payloads) {
    if (index === SHOWN) break;
    lines.push(`  task ${index}: ${describeTask(draft, task, index)}`);
    index++;
  }
  if (draft.tasks > SHOWN) lines.push(`  … and ${draft.tasks - SHOWN} more`);
  return { title, draft, lines };
}

function describeTask(draft: SpecDraft, task: TaskPayload, index: number): string {
  const { entry } = draft;
  const show = (value: unknown) => JSON.stringify(value);
  const own = taskWords(entry, task, show);
  if (own.length > 0) return own.join(", then ");
  if (entry.kind === "function") {
    return callWords(entry, 0, task.params ? [...task.args, task.params] : task.args, show);
  }
  const words = [...draft.run.launcher, ...entry.argv];
  if (!draft.templated) return shellWords(words);
  const values = { job: "JOB", index: draft.indices?.[index] ?? index, params: task.params, line: task.line };
  return shellWords(words.map((word) => fillTemplate(word, values)));
}
