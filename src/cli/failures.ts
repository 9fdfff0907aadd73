import { isFinal } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import { tailText } from "../orchestrator/log-tail.ts";
import { failedRank, remoteErrorOf, taskError } from "../orchestrator/results.ts";
import type { JobView } from "../orchestrator/view.ts";
import { elementLogPath, logPath } from "../store/layout.ts";
import type { Output, Style } from "./output.ts";
import { printable } from "./printable.ts";
import { groupReasons, type ReasonGroup, renderReasons, shapeOf } from "./reasons.ts";
import { nameOfScope, type Scope, tasksIn } from "./selection.ts";

/** This many failures are told in full, the others with their reasons only. */
const IN_FULL = 3;
const TAIL_LINES = 10;
const TAIL_BYTES = 2048;
const STACK_LINES = 8;

/**
 * Says on standard error what did not succeed: one task of each reason in full, all others by reason, and
 * what to type next. Silent where everything succeeded. Gives whether there was anything to say.
 */
export function reportFailures(output: Output, scopes: readonly Scope[]): boolean {
  let any = false;
  for (const scope of scopes) {
    const failed = Iterator.from(tasksIn(scope)).filter(
      (task) => isFinal(task.state) && task.state !== "succeeded",
    );
    const groups = groupReasons(failed);
    if (groups.length === 0) continue;
    any = true;
    const told = firstOfEachKind(groups).slice(0, IN_FULL);
    for (const index of told) output.warn(failureText(scope.view, scope.view.task(index), output.errStyle));
    const count = groups.reduce((sum, group) => sum + group.tasks.length, 0);
    if (count === told.length) continue;
    output.warn(`All ${count} tasks of job ${scope.view.id} that did not succeed:`);
    for (const line of renderReasons(groups, output.errStyle)) output.warn(`  ${line}`);
    const name = nameOfScope(scope.view.id, scope.tasks);
    output.warn(`Run them again: jobx retry ${name} --failed`);
  }
  return any;
}

/** The first task of each reason; reasons that differ in their numbers only count as one. */
function firstOfEachKind(groups: readonly ReasonGroup[]): number[] {
  const kinds = new Map<string, number>();
  for (const { state, reason, tasks } of groups) {
    const [first] = tasks;
    const kind = `${state} ${shapeOf(reason ?? "")}`;
    if (first !== undefined && !kinds.has(kind)) kinds.set(kind, first);
  }
  return [...kinds.values()];
}

/** One task that did not succeed: what happened and where, the end of its log, and what to type next. */
export function failureText(view: JobView, task: TaskView, style: Style): string {
  const error = taskError(view, task);
  const tail = logTail(view, task);
  const thrown = remoteErrorOf(task)?.name;
  // A function's error stands in its log as well, with its frames: once is enough.
  const logged = thrown !== undefined && tail.some((line) => Bun.stripANSI(line).startsWith(thrown));
  return [
    `${style.red(style.bold("✗"))} ${printable(error.message)}`,
    ...(logged ? [] : stackLines(task)).map((line) => `    ${style.dim(printable(line))}`),
    ...tail.map((line) => `    ${style.dim("|")} ${printable(Bun.stripANSI(line))}`),
    ...(error.hint === undefined ? [] : [`  ${error.hint}`]),
  ].join("\n");
}

/** The frames of what user code threw, without the message that stands above them. */
function stackLines(task: TaskView): string[] {
  const stack = remoteErrorOf(task)?.stack;
  if (!stack) return [];
  const frames = stack.split("\n").map((line) => line.trim());
  return frames.filter((line) => line.startsWith("at ")).slice(0, STACK_LINES);
}

/** The last lines of what the failed rank wrote: of stderr, else of stdout, else of what the scheduler captured. */
function logTail(view: JobView, task: TaskView): string[] {
  const { dir, spec } = view;
  const rank = failedRank(task)?.rank ?? 0;
  const element = Math.floor(task.index / spec.run.pack.tasks);
  const paths = [
    logPath(dir, spec.tasks, task.index, rank, "err"),
    logPath(dir, spec.tasks, task.index, rank, "out"),
    elementLogPath(dir, element),
    elementLogPath(dir, 0),
  ];
  for (const path of paths) {
    const lines = tailText(path, TAIL_LINES, TAIL_BYTES).split("\n");
    if (lines.at(-1) === "") lines.pop();
    if (lines.some((line) => line.trim() !== "")) return lines;
  }
  return [];
}
