import type { TaskState } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import type { Style } from "./output.ts";
import { printable } from "./printable.ts";
import { showRanges } from "./ranges.ts";
import { paintState } from "./states.ts";

/** Tasks in one state with one reason, which is null where none is known. */
export type ReasonGroup = {
  state: TaskState;
  reason: string | null;
  /** In ascending order. */
  tasks: number[];
  /** The reasons differ in their numbers only; `reason` is that of the first task. */
  alike: boolean;
};

/** More different reasons than this in one state, and those that differ only in numbers are told as one. */
const TOO_MANY = 8;

/**
 * Says the same reason once, with all its tasks: why the waiting ones wait and why those that ended did not
 * succeed. Groups come in the order of states, the largest first. Succeeded tasks have none, and running ones only
 * where nobody looks after them.
 */
export function groupReasons(tasks: Iterable<TaskView>): ReasonGroup[] {
  const exact = new Map<string, ReasonGroup>();
  for (const task of tasks) {
    if (task.state === "succeeded" || (task.state === "running" && task.reason === null)) continue;
    const reason = task.reason ?? task.native;
    add(exact, `${task.state}\0${reason}`, { state: task.state, reason, tasks: [task.index], alike: false });
  }
  const byState = Map.groupBy(exact.values(), (group) => group.state);
  return ORDER.flatMap((state) => {
    const groups = byState.get(state) ?? [];
    const told = groups.length > TOO_MANY ? mergeAlike(groups) : groups;
    return told.sort((a, b) => b.tasks.length - a.tasks.length);
  });
}

/**
 * The groups as lines: `failed   3,9    exit code 1`. With more than `limit` (12) groups the rest is counted.
 * Of a job with a `single` task it goes without saying which one it is.
 */
export function renderReasons(
  groups: readonly ReasonGroup[],
  style: Style,
  { limit = 12, single = false }: { limit?: number; single?: boolean } = {},
): string[] {
  const shown = groups.slice(0, limit);
  const ranges = shown.map((group) => (single ? "" : showRanges(group.tasks, 6)));
  const stateWidth = Math.max(0, ...shown.map((group) => group.state.length));
  const rangeWidth = Math.min(24, Math.max(0, ...ranges.map((range) => range.length)));
  const lines = shown.map((group, at) => {
    const state = paintState(group.state, style, group.state.padEnd(stateWidth));
    const alike = group.alike ? " (the first of several that differ in numbers)" : "";
    const reason = group.reason === null ? style.dim(silence(group.state)) : printable(group.reason) + alike;
    const range = single ? [] : [(ranges[at] ?? "").padEnd(rangeWidth)];
    // "cancelled  0-3  cancelled" would say nothing twice.
    return [state, ...range, ...(group.reason === group.state ? [] : [reason])].join("  ").trimEnd();
  });
  const more = groups.length - shown.length;
  return more > 0 ? [...lines, `and ${more} more reasons`] : lines;
}

/** A reason without its numbers. */
export function shapeOf(reason: string): string {
  return reason.replace(/\d+(\.\d+)?/g, "#");
}

/** What stands where nobody gave a reason. */
function silence(state: TaskState): string {
  return state === "queued" ? "waiting for its turn" : "no reason is known";
}

const ORDER: readonly TaskState[] = ["queued", "running", "failed", "timeout", "lost", "cancelled"];

function mergeAlike(groups: readonly ReasonGroup[]): ReasonGroup[] {
  const merged = new Map<string, ReasonGroup>();
  for (const group of groups) add(merged, shapeOf(group.reason ?? ""), { ...group });
  for (const group of merged.values()) group.tasks.sort((a, b) => a - b);
  return [...merged.values()];
}

function add(groups: Map<string, ReasonGroup>, key: string, group: ReasonGroup): void {
  const known = groups.get(key);
  if (!known) {
    groups.set(key, group);
    return;
  }
  known.alike ||= known.reason !== group.reason;
  for (const task of group.tasks) known.tasks.push(task);
}
