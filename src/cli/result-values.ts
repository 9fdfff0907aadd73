import { JobxError } from "../errors.ts";
import { ranksOf } from "../model/resources.ts";
import { isFinal } from "../model/states.ts";
import { taskValue } from "../orchestrator/results.ts";
import type { Selected } from "../orchestrator/select.ts";
import type { JobView } from "../orchestrator/view.ts";
import { showRanges } from "./ranges.ts";

export type Values = {
  /** In the order of tasks (of one task: of its ranks); null where there is none. */
  values: unknown[];
  /** Whether what was selected is several values, even if only one of them is there. */
  several: boolean;
  /** Whether any value is missing. */
  missing: boolean;
  /** What is missing and is no failure of a task: tasks that have not ended, values that cannot be read. */
  problems: string[];
};

/** The values of what was selected. Tasks that failed have null and no word here: their reasons are told elsewhere. */
export function collectValues(view: JobView, selected: Selected): Values {
  const ranks = ranksOf(view.spec.resources);
  const tasks = selected.tasks ?? Array.from({ length: view.spec.tasks }, (_, index) => index);
  const [only] = tasks;
  const problems: string[] = [];
  let missing = false;
  const unended = tasks.filter((task) => !isFinal(view.task(task).state));
  if (unended.length > 0) problems.push(unendedText(view, unended));
  const read = (task: number, rank: number | null) => {
    try {
      return taskValue(view, task, rank);
    } catch (error) {
      if (!(error instanceof JobxError) || error.code === "BUG") throw error;
      missing = true;
      if (view.task(task).state === "succeeded") problems.push(`Task ${view.id}.${task}: ${error.message}`);
      return null;
    }
  };
  const byRank = tasks.length === 1 && only !== undefined && ranks > 1 && selected.rank === null;
  const values = byRank
    ? Array.from({ length: ranks }, (_, rank) => read(only, rank))
    : tasks.map((task) => read(task, selected.rank));
  return { values, several: byRank || tasks.length > 1, missing, problems };
}

function unendedText(view: JobView, tasks: readonly number[]): string {
  const [only] = tasks;
  const name = view.spec.tasks === 1 ? `Job ${view.id}` : `Tasks ${showRanges(tasks, 6)} of job ${view.id}`;
  const verb =
    tasks.length === 1 && only !== undefined && view.task(only).state === "queued" ? "waits" : "runs";
  const text = view.spec.tasks === 1 ? `${name} ${verb}` : `${name} have not ended`;
  return `${text}, so there is no value yet; jobx wait ${view.id} waits for it`;
}
