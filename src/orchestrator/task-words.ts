import { showReference } from "../code/reference.ts";
import { codeOf } from "../code/snapshot.ts";
import { shellWords } from "../executor/run.ts";
import type { Entry, FunctionEntry, TaskPayload } from "../model/job.ts";

type Given = Pick<TaskPayload, "params" | "args" | "fn" | "steps">;

/**
 * What a task runs beside what its job says: which of several functions it calls, its steps, or a command of its own;
 * empty where the job's entry says it all. `show` writes an argument.
 */
export function taskWords(entry: Entry, task: Given, show: (value: unknown) => string): string[] {
  if (entry.kind === "command") return entry.argv.length > 0 ? [] : [shellWords(task.args.map(String))];
  if (task.steps) return task.steps.map(({ fn, args }) => callWords(entry, fn, args, show));
  if (!entry.more) return [];
  return [callWords(entry, task.fn ?? 0, task.params ? [...task.args, task.params] : task.args, show)];
}

/** A call as it would be written: `fit(1, {"lr":0.1})`. */
export function callWords(
  entry: FunctionEntry,
  fn: number,
  args: readonly unknown[],
  show: (value: unknown) => string,
): string {
  const code = codeOf(entry, fn);
  const name = code?.export === "default" ? fileName(showReference(code)) : code?.export;
  return `${name ?? `function ${fn}`}(${args.map(show).join(", ")})`;
}

function fileName(path: string): string {
  return path.split("/").at(-1) ?? path;
}
