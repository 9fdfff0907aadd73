import type { Counts, TaskState } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import type { Times } from "../orchestrator/summary.ts";
import { reasonOfScope, type Scope, tasksIn, timesOfScope } from "./selection.ts";

/** One task of `status --json --tasks`. Times are ISO 8601 UTC, `seconds` and `maxRssBytes` what they say. */
export type TaskJson = Omit<TaskView, "ranks">;

/**
 * One job of `status --json`; `list --json` is an array of these without `reason` and `tasks`. Times are ISO 8601 UTC: when it was
 * submitted, when its first task began and its last one ended; `seconds` lie between those two, or until now.
 */
export type JobJson = Times & {
  id: number;
  name: string;
  executor: string;
  state: TaskState;
  counts: Counts;
  created: string;
  /** Why it waits; null where it does not. */
  reason?: string | null;
  tasks?: TaskJson[];
};

/** A job, or the part of it that was selected, as `status --json` shows it. */
export function jobJson(scope: Scope, options: { tasks: boolean }): JobJson {
  const { id, spec } = scope.view;
  const { name, executor, created } = spec;
  const json = jobJsonOf({ id, name, executor, created, ...scope, ...timesOfScope(scope) });
  const whole = { ...json, reason: reasonOfScope(scope) };
  return options.tasks ? { ...whole, tasks: Array.from(tasksIn(scope), taskJson) } : whole;
}

/** The fields of a job that every command shows, in the documented order. */
export function jobJsonOf(job: Omit<JobJson, "reason" | "tasks">): JobJson {
  const { id, name, executor, state, counts, created, startedAt, endedAt, seconds } = job;
  const { queued, running, succeeded, failed, cancelled, timeout, lost } = counts;
  return {
    id,
    name,
    executor,
    state,
    counts: { queued, running, succeeded, failed, cancelled, timeout, lost },
    created,
    startedAt,
    endedAt,
    seconds,
  };
}

/** One task, in the documented order. */
export function taskJson(task: TaskView): TaskJson {
  const { index, state, attempt, exitCode, signal, reason, native } = task;
  const { node, startedAt, endedAt, seconds, maxRssBytes } = task;
  return {
    index,
    state,
    attempt,
    exitCode,
    signal,
    reason,
    native,
    node,
    startedAt,
    endedAt,
    seconds,
    maxRssBytes,
  };
}

/** One job as an object, several as an array. */
export function oneOrMany<T>(items: readonly T[]): T | readonly T[] {
  const [first] = items;
  return items.length === 1 && first !== undefined ? first : items;
}
