import { JobxError, usageError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import type { Dependency, DependencyKind } from "../model/job.ts";
import { isFinal, type TaskState } from "../model/states.ts";
import type { Services } from "./services.ts";
import { type JobView, readJobs } from "./view.ts";

/**
 * The dependencies that are still open. Predecessors that have ended are judged by our own records,
 * since schedulers forget: met ones are dropped, those that can never be met refuse the submission.
 */
export async function judgeDependencies(
  services: Services,
  executor: Executor,
  after: Dependency[],
  tasks: number,
): Promise<Dependency[]> {
  const views = await readJobs(services, [...new Set(after.map((one) => one.job))]);
  const open: Dependency[] = [];
  for (const dependency of after) {
    const view = views.find((one) => one.id === dependency.job);
    if (!view) throw new JobxError("BUG", `Job ${dependency.job} was not read`);
    const verdict = judge(view, dependency, tasks);
    if (verdict === "met") continue;
    if (verdict !== "open")
      throw new JobxError("REFUSED", verdict, {
        hint: `See jobx status ${view.id}; retry it, or use --after ${view.id}:any`,
      });
    if (view.spec.executor !== executor.name) {
      throw usageError(
        `Job ${view.id} runs on ${view.spec.executor}, and a job on ${executor.name} cannot wait for it`,
        `Wait for it first: jobx wait ${view.id} && jobx submit …`,
      );
    }
    const hasEnds = statesOf(view, dependency.tasks ?? null).some(isFinal);
    open.push(hasEnds ? { ...dependency, hasEnds } : dependency);
  }
  return open;
}

/** "met", "open", or the sentence that says why it can never be met. */
function judge(view: JobView, dependency: Dependency, tasks: number): "met" | "open" | string {
  const { kind } = dependency;
  if (kind === "each" && view.spec.tasks !== tasks) {
    return `--after ${view.id}:each pairs task with task, but job ${view.id} has ${view.spec.tasks} and this one ${tasks}`;
  }
  const states = statesOf(view, dependency.tasks ?? null);
  // Task by task: a failed one ends only its own successor, which the executor sees to.
  if (kind === "each") return states.every((state) => state === "succeeded") ? "met" : "open";
  if (states.some((state) => !isFinal(state))) {
    return isHopeless(states, kind) ? hopeless(view, kind) : "open";
  }
  return isMet(states, kind) ? "met" : hopeless(view, kind);
}

/** Whether a dependency on tasks in these final states is met. */
function isMet(states: TaskState[], kind: DependencyKind): boolean {
  switch (kind) {
    case "any":
      return true;
    case "ok":
    case "each":
      return states.every((state) => state === "succeeded");
    case "fail":
      return states.some((state) => state !== "succeeded");
  }
}

/** Whether no end of the tasks that still run could meet the dependency. */
function isHopeless(states: TaskState[], kind: DependencyKind): boolean {
  return kind === "ok" && states.some((state) => isFinal(state) && state !== "succeeded");
}

function hopeless(view: JobView, kind: DependencyKind): string {
  return kind === "fail"
    ? `Job ${view.id} succeeded, so a job that waits for its failure would never start`
    : `Job ${view.id} ${DID_NOT_SUCCEED[view.state]}, so a job that waits for its success would never start`;
}

const DID_NOT_SUCCEED: Record<TaskState, string> = {
  // A task of it has failed, and others still wait or run.
  queued: "has failed in part",
  running: "has failed in part",
  succeeded: "has failed in part",
  failed: "failed",
  cancelled: "was cancelled",
  timeout: "ran out of time",
  lost: "was lost",
};

function statesOf(view: JobView, tasks: number[] | null): TaskState[] {
  if (tasks) return tasks.map((task) => view.task(task).state);
  return [...view.tasks()].map((task) => task.state);
}
