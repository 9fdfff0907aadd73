import { isFinal, totalOf } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import { failureOutput } from "../orchestrator/failure-output.ts";
import { retryCommand, taskError } from "../orchestrator/results.ts";
import type { JobView } from "../orchestrator/view.ts";
import type { Output, Style } from "./output.ts";
import { printable } from "./printable.ts";
import { groupReasons, type ReasonGroup, renderReasons, shapeOf } from "./reasons.ts";
import { nameOfScope, type Scope, tasksIn } from "./selection.ts";

/** This many failures are told in full, the others with their reasons only. */
const IN_FULL = 3;

/** What the reader knows already: with `outputSeen` what tasks print has just passed by. */
export type Told = { outputSeen?: boolean };

/**
 * Says on standard error what did not succeed: one task of each reason in full, all others by reason, and
 * what to type next. Silent where everything succeeded. Gives whether there was anything to say.
 */
export function reportFailures(output: Output, scopes: readonly Scope[], told: Told = {}): boolean {
  let any = false;
  for (const scope of scopes) {
    if (scope.counts.succeeded === totalOf(scope.counts)) continue;
    const failed = Iterator.from(tasksIn(scope)).filter(
      (task) => isFinal(task.state) && task.state !== "succeeded",
    );
    const groups = groupReasons(failed);
    if (groups.length === 0) continue;
    any = true;
    const shown = firstOfEachKind(groups).slice(0, IN_FULL);
    for (const index of shown)
      output.warn(failureText(scope.view, scope.view.task(index), output.errStyle, told));
    const count = groups.reduce((sum, group) => sum + group.tasks.length, 0);
    if (count === shown.length) continue;
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
export function failureText(view: JobView, task: TaskView, style: Style, told: Told = {}): string {
  const error = taskError(view, task);
  const { said, report, any } = failureOutput(view, task);
  const hint = any ? error.hint : `Run it again: ${retryCommand(view, task)}`;
  const lines = told.outputSeen
    ? []
    : [
        ...said.map((line) => `    ${style.dim("|")} ${printable(line)}`),
        ...report.map((line) => `  ${style.dim(printable(line))}`.trimEnd()),
      ];
  return [
    `${style.red(style.bold("✗"))} ${printable(error.message)}${attemptNote(task)}`,
    ...lines,
    ...(hint === undefined ? [] : [`  ${hint}`]),
  ].join("\n");
}

/** Failures of retried tasks say how often it was tried. */
function attemptNote({ attempt }: TaskView): string {
  return attempt === 0 ? "" : ` (${attempt + 1} attempts)`;
}
