/**
 * The states of a task. `queued -> running -> succeeded | failed | cancelled | timeout | lost`;
 * a preempted, requeued or retried task goes back to `queued` with the next attempt.
 */
export type TaskState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "timeout" | "lost";

/** A state that a task never leaves by itself. */
export type FinalState = Exclude<TaskState, "queued" | "running">;

/** How many tasks of a job are in each state. */
export type Counts = Record<TaskState, number>;

export const TASK_STATES: readonly TaskState[] = [
  "queued",
  "running",
  "succeeded",
  "failed",
  "cancelled",
  "timeout",
  "lost",
];

export function isFinal(state: TaskState): state is FinalState {
  return state !== "queued" && state !== "running";
}

export function noCounts(): Counts {
  return { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, timeout: 0, lost: 0 };
}

export function totalOf(counts: Counts): number {
  return TASK_STATES.reduce((sum, state) => sum + counts[state], 0);
}

export function finalOf(counts: Counts): number {
  return totalOf(counts) - counts.queued - counts.running;
}

/**
 * The state of a job, derived from its tasks: running while any task runs or some have ended and others
 * wait; when all have ended, the worst of what happened (failed, lost, timeout, cancelled), else succeeded.
 */
export function jobStateOf(counts: Counts): TaskState {
  if (counts.running > 0) return "running";
  if (counts.queued > 0) return finalOf(counts) > 0 ? "running" : "queued";
  for (const state of ["failed", "lost", "timeout", "cancelled"] as const) {
    if (counts[state] > 0) return state;
  }
  return "succeeded";
}
