import { appendChange, readChanges, unexpectedContents } from "./changes.ts";

/** Tasks of a job: all, some, or (null) none. */
export type RequestedTasks = "all" | Set<number> | null;

/** `on` adds the tasks to the request, otherwise it takes them back; null means all. */
type Change = { on: boolean; tasks: number[] | null };

/**
 * The tasks for which a request (cancelled, held) stands, from all its changes. `count`, the job's number of
 * tasks, is asked for only where a request for all was taken back for some.
 */
export function readRequest(path: string, count: () => number): RequestedTasks {
  let selection: RequestedTasks = null;
  for (const change of readChanges(path)) {
    if (!isChange(change)) throw unexpectedContents(path);
    selection = apply(selection, change, count);
  }
  return selection;
}

/** Whether a request stands for a task. */
export function isRequested(requested: RequestedTasks, task: number): boolean {
  return requested === "all" || (requested?.has(task) ?? false);
}

/** Adds a change, unless it would change nothing. */
export function changeRequest(path: string, tasks: number[] | null, on: boolean, count: () => number): void {
  const before = readRequest(path, count);
  if (tasks?.length === 0 || covers(before, tasks, on)) return;
  const change: Change = { on, tasks };
  appendChange(path, change);
}

function apply(selection: RequestedTasks, { on, tasks }: Change, count: () => number): RequestedTasks {
  if (tasks === null) return on ? "all" : null;
  if (on) return selection === "all" ? "all" : new Set([...(selection ?? []), ...tasks]);
  if (selection === null) return null;
  const left =
    selection === "all" ? new Set(Array.from({ length: count() }, (_, task) => task)) : new Set(selection);
  for (const task of tasks) left.delete(task);
  return left.size > 0 ? left : null;
}

function covers(selection: RequestedTasks, tasks: number[] | null, on: boolean): boolean {
  if (!on)
    return (
      selection === null ||
      (selection !== "all" && tasks !== null && !tasks.some((task) => selection.has(task)))
    );
  if (selection === "all") return true;
  return selection !== null && tasks !== null && tasks.every((task) => selection.has(task));
}

function isChange(value: unknown): value is Change {
  return typeof value === "object" && value !== null && "on" in value && "tasks" in value;
}
