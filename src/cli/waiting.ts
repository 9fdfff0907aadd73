import { type Counts, noCounts, TASK_STATES } from "../model/states.ts";
import type { Selected } from "../orchestrator/select.ts";
import type { Services } from "../orchestrator/services.ts";
import type { JobView } from "../orchestrator/view.ts";
import { waitFor } from "../orchestrator/wait.ts";
import type { CliContext } from "./context.ts";
import { type ProgressDisplay, showProgress } from "./progress.ts";
import { nameOfScope, type Scope, scopeOf, type Subject, subjectsOf } from "./selection.ts";

/**
 * Waits for what was selected with progress on standard error, and gives it as it then stands. Ctrl-C and
 * `timeoutSeconds` reject with INTERRUPTED and WAIT_TIMEOUT; the jobs go on.
 */
export async function waitWithProgress(
  context: CliContext,
  services: Services,
  selected: Selected[],
  options: { timeoutSeconds?: number } = {},
): Promise<Scope[]> {
  const subjects = subjectsOf(selected);
  const display = showProgress(context.output, labelOf(subjects));
  const calm = { ...services, note: (text: string) => display.above(() => services.note(text)) };
  try {
    const views = await waitFor(calm, selected, {
      timeoutSeconds: options.timeoutSeconds,
      signal: context.interruptible(),
      onProgress: (seen) => show(display, scopesOf(seen, subjects)),
    });
    return scopesOf(views, subjects);
  } finally {
    display.end();
  }
}

/** The selected parts of jobs, in the order in which they were named. */
export function scopesOf(views: readonly JobView[], subjects: readonly Subject[]): Scope[] {
  return subjects.flatMap(({ id, tasks }) => {
    const view = views.find((each) => each.id === id);
    return view ? [scopeOf(view, tasks)] : [];
  });
}

/** The exit code of a wait: 0 when every task succeeded, else 1. */
export function exitCodeOf(scopes: readonly Scope[]): number {
  return scopes.every(({ state }) => state === "succeeded") ? 0 : 1;
}

function show(display: ProgressDisplay, scopes: readonly Scope[]): void {
  display.update(sumOf(scopes.map((scope) => scope.counts)));
}

function sumOf(all: readonly Counts[]): Counts {
  const sum = noCounts();
  for (const counts of all) for (const state of TASK_STATES) sum[state] += counts[state];
  return sum;
}

function labelOf(subjects: readonly Subject[]): string {
  const [first] = subjects;
  if (!first || subjects.length > 1) return `${subjects.length} jobs`;
  const whole = nameOfScope(first.id, first.tasks);
  return whole.length <= 24 ? `job ${whole}` : `job ${first.id}`;
}
