import { type Counts, finalOf, jobStateOf, noCounts, type TaskState, totalOf } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import type { Selected } from "../orchestrator/select.ts";
import { spanOf, type Times } from "../orchestrator/summary.ts";
import type { JobView } from "../orchestrator/view.ts";
import { showRanges } from "./ranges.ts";

/** One job of a command line and the tasks of it that are meant; null for all. */
export type Subject = { id: number; tasks: number[] | null };

/** What was selected, each job once: `12.1 12.3` is one subject with two tasks. In the order of the words. */
export function subjectsOf(selected: readonly Selected[]): Subject[] {
  const subjects = new Map<number, Subject>();
  for (const { id, tasks } of selected) {
    const known = subjects.get(id);
    if (!known) subjects.set(id, { id, tasks: tasks && [...tasks] });
    else known.tasks = known.tasks && tasks && union(known.tasks, tasks);
  }
  return [...subjects.values()];
}

/** The part of a job that is meant, with its own counts and state. */
export type Scope = { view: JobView; tasks: number[] | null; counts: Counts; state: TaskState };

/** Narrows a job to the tasks of a subject. */
export function scopeOf(view: JobView, tasks: number[] | null): Scope {
  if (tasks === null) return { view, tasks, counts: view.counts, state: view.state };
  const counts = noCounts();
  for (const task of tasks) counts[view.task(task).state]++;
  return { view, tasks, counts, state: jobStateOf(counts) };
}

/** When its first task began and its last one ended, and the seconds between them or until now. */
export function timesOfScope(scope: Scope): Times {
  const { view, tasks, counts } = scope;
  if (tasks !== null) return spanOf(tasks, view, finalOf(counts) === totalOf(counts));
  const { startedAt, endedAt, seconds } = view;
  return { startedAt, endedAt, seconds };
}

/** Why it waits: of several tasks the reason of the first; null where it does not. */
export function reasonOfScope(scope: Scope): string | null {
  if (scope.tasks === null) return scope.view.reason;
  for (const { state, reason } of tasksIn(scope)) if (state === "queued" && reason !== null) return reason;
  return null;
}

/** The tasks of a scope in order. */
export function* tasksIn(scope: Scope): Generator<TaskView> {
  if (scope.tasks === null) yield* scope.view.tasks();
  else for (const task of scope.tasks) yield scope.view.task(task);
}

/** `12`, or `12.0-4,7`: as it would be typed again. */
export function nameOfScope(id: number, tasks: readonly number[] | null): string {
  return tasks === null ? `${id}` : `${id}.${showRanges(tasks)}`;
}

function union(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((left, right) => left - right);
}
