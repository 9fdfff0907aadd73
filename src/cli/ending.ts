import { finalOf, totalOf } from "../model/states.ts";
import { reportFailures, type Told } from "./failures.ts";
import type { Output, Style } from "./output.ts";
import { printable } from "./printable.ts";
import { nameOfScope, type Scope, timesOfScope } from "./selection.ts";
import { paintState, showCounts } from "./states.ts";
import { jobJson, oneOrMany } from "./status-json.ts";
import { showDuration } from "./times.ts";
import { exitCodeOf } from "./waiting.ts";

/**
 * Says how a wait ended: a line per job, and on standard error what did not succeed. Gives the exit code: 0
 * when every task succeeded, else 1.
 */
export function reportEnd(output: Output, scopes: readonly Scope[], told: Told = {}): number {
  output.result({
    json: oneOrMany(scopes.map((scope) => jobJson(scope, { tasks: false }))),
    quiet: scopes.map((scope) => scope.state),
    text: () => scopes.map((scope) => endLine(scope, output.style)).join("\n"),
  });
  reportFailures(output, scopes, told);
  return exitCodeOf(scopes);
}

/** "Job 12 train succeeded after 1m12s", with counts where there are several tasks. */
function endLine(scope: Scope, style: Style): string {
  const { view, tasks, counts, state } = scope;
  const name = nameOfScope(view.id, tasks);
  const { seconds } = timesOfScope(scope);
  const took = seconds === null ? "" : ` after ${showDuration(seconds)}`;
  const detail = totalOf(counts) > 1 && finalOf(counts) > 0 ? `: ${showCounts(counts, style)}` : "";
  return `Job ${name} (${printable(view.spec.name)}) ${paintState(state, style, VERBS[state])}${took}${detail}`;
}

const VERBS = {
  queued: "waits",
  running: "runs",
  succeeded: "succeeded",
  failed: "failed",
  cancelled: "was cancelled",
  timeout: "ran out of time",
  lost: "was lost",
} as const;
