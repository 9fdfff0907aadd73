import { JobxError, usageError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { rangesOf } from "../executor/scheduler/texts.ts";
import type { Dependency, DependencyKind, RunOptions } from "../model/job.ts";
import { finalOf, isFinal, type TaskState } from "../model/states.ts";
import type { Services } from "./services.ts";
import { type JobView, readJobs } from "./view.ts";

/**
 * The dependencies that are still open. Predecessors that have ended are judged by our own records,
 * since schedulers forget: met ones are dropped, those that can never be met refuse the submission.
 */
export async function judgeDependencies(
  services: Services,
  executor: Executor,
  { after, pack }: Pick<RunOptions, "after" | "pack">,
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
      throw new JobxError("REFUSED", verdict.why, {
        hint: `See jobx status ${verdict.see}; retry it, or use --after ${nameOf(view, dependency.tasks)}:any`,
      });
    if (view.spec.executor !== executor.name) {
      throw usageError(
        `Job ${view.id} runs on ${view.spec.executor}, and a job on ${executor.name} cannot wait for it`,
        `Wait for it first: jobx wait ${view.id} && jobx submit …`,
      );
    }
    open.push(isForWorker(view, dependency, pack) ? { ...dependency, judged: true } : dependency);
  }
  return open;
}

/**
 * Whether a scheduler's own dependencies would say something else than is meant. They are about elements, each of which
 * may run several tasks. And Slurm's aftercorr takes the whole array for an element that it has forgotten, which it does
 * MinJobAge after that has ended: what had succeeded had its successor cancelled when something else failed (22.05).
 */
function isForWorker(view: JobView, { kind, tasks }: Dependency, pack: RunOptions["pack"]): boolean {
  const isPacked = view.spec.run.pack.tasks > 1;
  switch (kind) {
    case "any":
      return false;
    case "ok":
    case "fail":
      return isPacked && tasks !== undefined;
    case "each":
      return isPacked || pack.tasks > 1 || finalOf(view.counts) > 0;
  }
}

/** Why a dependency can never be met, and the selector of what stands in its way. */
type Hopeless = { why: string; see: string };

function judge(view: JobView, dependency: Dependency, tasks: number): "met" | "open" | Hopeless {
  const { kind } = dependency;
  if (kind === "each" && view.spec.tasks !== tasks) {
    const why = `--after ${view.id}:each pairs task with task, but job ${view.id} has ${view.spec.tasks} and this one ${tasks}`;
    return { why, see: `${view.id}` };
  }
  const states = statesOf(view, dependency.tasks ?? null);
  // Task by task: a failed one ends only its own successor, which the executor sees to.
  if (kind === "each") return states.every((state) => state === "succeeded") ? "met" : "open";
  if (states.some((state) => !isFinal(state))) {
    return isHopeless(states, kind) ? hopeless(view, dependency) : "open";
  }
  return isMet(states, kind) ? "met" : hopeless(view, dependency);
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
  return kind === "ok" && states.some(isFailure);
}

function isFailure(state: TaskState): boolean {
  return isFinal(state) && state !== "succeeded";
}

function hopeless(view: JobView, { kind, tasks }: Dependency): Hopeless {
  if (kind === "fail") {
    const see = nameOf(view, tasks);
    const subject = tasks === undefined ? "Job" : tasks.length === 1 ? "Task" : "Tasks";
    return { see, why: `${subject} ${see} succeeded, so a job that waits for a failure would never start` };
  }
  const failed = tasks?.find((task) => isFailure(view.task(task).state));
  const see = nameOf(view, failed === undefined ? undefined : [failed]);
  const what =
    failed === undefined
      ? `Job ${see} ${DID_NOT_SUCCEED[view.state]}`
      : `Task ${see} ${DID_NOT_SUCCEED[view.task(failed).state]}`;
  return { see, why: `${what}, so a job that waits for its success would never start` };
}

/** As it would be typed: `12`, or `12.1-3`. */
function nameOf({ id }: JobView, tasks: number[] | undefined): string {
  return tasks === undefined ? `${id}` : `${id}.${rangesOf(tasks).join(",")}`;
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
