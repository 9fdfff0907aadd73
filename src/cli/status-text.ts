import { hostname } from "node:os";

import { formatSize } from "../model/sizes.ts";
import { isFinal, totalOf } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import { failureOutput } from "../orchestrator/failure-output.ts";
import type { Style } from "./output.ts";
import { printable } from "./printable.ts";
import { groupReasons, type ReasonGroup, renderReasons } from "./reasons.ts";
import { nameOfScope, type Scope, tasksIn, timesOfScope } from "./selection.ts";
import { paintState, showCounts } from "./states.ts";
import { type Column, outputWidth, renderTable } from "./table.ts";
import { secondsSince, showAge, showDuration } from "./times.ts";

/** Jobs as `status` shows them to people, an empty line between two. */
export function renderStatus(scopes: readonly Scope[], style: Style, options: { tasks: boolean }): string {
  return scopes.map((scope) => renderScope(scope, style, options)).join("\n\n");
}

function renderScope(scope: Scope, style: Style, options: { tasks: boolean }): string {
  const lines = [headline(scope, style), `  ${showCounts(scope.counts, style)}${timing(scope, style)}`];
  const reasons = groupReasons(tasksIn(scope));
  if (options.tasks) lines.push(taskTable(tasksIn(scope), style));
  else {
    const single = scope.view.spec.tasks === 1;
    lines.push(...renderReasons(reasons, style, { single }).map((line) => `  ${line}`));
  }
  const next = nextStep(scope, failedWithOutput(scope, reasons));
  if (next) lines.push(`  ${style.dim(next)}`);
  return lines.join("\n");
}

/** `Job 12 (train) on slurm (4211): running`; of this machine's own jobs only another host is worth a word. */
function headline({ view, tasks, state }: Scope, style: Style): string {
  const { id, spec, natives } = view;
  const isOwn = spec.executor === "local" || spec.executor === "debug";
  const host = spec.host === hostname() ? "" : spec.host;
  const native = isOwn ? host : natives.map((each) => each.id).join(", ");
  const where = native === "" ? spec.executor : `${spec.executor} (${printable(native)})`;
  const name = style.bold(`Job ${nameOfScope(id, tasks)}`);
  return `${name} (${printable(spec.name)}) on ${where}: ${paintState(state, style)}`;
}

function timing(scope: Scope, style: Style): string {
  const age = `submitted ${showAge(scope.view.spec.created)} ago`;
  const { startedAt, endedAt, seconds } = timesOfScope(scope);
  if (startedAt === null) return style.dim(`; ${age}`);
  if (scope.state === "queued") return style.dim(`; ${age}, first began ${showAge(startedAt)} ago`);
  const verb = endedAt === null ? "running for" : "took";
  return style.dim(`; ${age}, ${verb} ${showDuration(seconds)}`);
}

const COLUMNS: Column[] = [
  { title: "TASK", align: "right" },
  { title: "STATE" },
  { title: "TRY", align: "right" },
  { title: "EXIT", align: "right" },
  { title: "TOOK", align: "right" },
  { title: "RSS", align: "right" },
  { title: "NODE" },
  // A few letters of it tell nothing: then rather let the terminal wrap the line.
  { title: "REASON", shrink: 20 },
];

function taskTable(tasks: Iterable<TaskView>, style: Style): string {
  const rows = Array.from(tasks, (task) => [
    String(task.index),
    paintState(task.state, style),
    String(task.attempt),
    task.signal ?? (task.exitCode === null ? "-" : String(task.exitCode)),
    showDuration(task.state === "running" ? secondsSince(task.startedAt) : task.seconds),
    rssText(task),
    printable(task.node ?? "-"),
    printable(task.reason ?? task.native ?? ""),
  ]);
  return renderTable(COLUMNS, rows, { width: outputWidth(), title: style.dim });
}

/** Of very short commands and of functions only a bound is known. */
function rssText({ maxRssBytes, ranks }: TaskView): string {
  if (maxRssBytes === null) return "-";
  const isBound = ranks.some(({ result }) => result?.usage?.maxRssIsUpperBound);
  return `${isBound ? "≤ " : ""}${formatSize(maxRssBytes)}`;
}

/** A task whose failure left something to read; not one that never ran. */
function failedWithOutput({ view }: Scope, reasons: ReasonGroup[]): number | undefined {
  const failed = reasons.find(({ state }) => isFinal(state) && state !== "cancelled")?.tasks[0];
  return failed !== undefined && failureOutput(view, view.task(failed)).any ? failed : undefined;
}

/** What one would type next; `failed` is a task whose output says more. */
function nextStep(scope: Scope, failed: number | undefined): string | null {
  const { view, tasks, counts, state } = scope;
  const name = nameOfScope(view.id, tasks);
  const failedName = view.spec.tasks === 1 ? `${view.id}` : `${view.id}.${failed}`;
  if (counts.queued + counts.running > 0) {
    return failed === undefined
      ? `jobx wait ${name} waits for the end`
      : `jobx logs ${failedName} shows the output, jobx wait ${name} waits for the end`;
  }
  if (state === "succeeded") {
    const { entry, run } = view.spec;
    const several = totalOf(counts) > 1;
    return entry.kind === "function" || run.capture
      ? `jobx result ${name} gives the value${several ? "s" : ""}`
      : `jobx logs ${name} shows the output`;
  }
  const again = `jobx retry ${name} --failed runs what did not succeed again`;
  return failed === undefined ? again : `jobx logs ${failedName} shows the output, ${again}`;
}
