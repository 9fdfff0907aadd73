import type { RunOptions } from "../model/job.ts";
import type { AgainRecord } from "../model/records.ts";
import type { FinalState } from "../model/states.ts";

/** The exit code by which a command asks to be run again. */
export const AGAIN_EXIT_CODE = 85;

/**
 * What the supervisor did to an attempt. `warned`: it left after the warning that its limit is near;
 * `preempted`: it left, or was ended, after the warning of a preemption; `ended`: with its allocation, for
 * whatever reason the scheduler had; `lost`: its supervisor died.
 */
export type Cause = "cancelled" | "timeout" | "warned" | "preempted" | "ended" | "memory" | "lost";

/** How an attempt ended, all its ranks taken together. */
export type Ending = {
  /** Null when it ended by itself. */
  cause: Cause | null;
  /** Every rank exited with 0 and gave a value that could be kept. */
  ok: boolean;
  /** Some rank exited with code 85, or a function asked for another run. */
  asksAgain: boolean;
  /** A function refused another run (its checkpoint returned null). */
  refusesAgain: boolean;
  /** Whether the checkpoint folder holds something; asked only where it matters. */
  hasCheckpoint: () => boolean;
};

/** What earlier attempts of the task came to. */
export type History = { failures: number; timeouts: number; losses: number };

export type Decision = { again: AgainRecord["why"] } | { final: FinalState; exhausted: boolean };

export const NO_HISTORY: History = { failures: 0, timeouts: 0, losses: 0 };

/**
 * Whether an attempt is followed by another one. Timeouts and exit code 85 count towards `maxTimeouts`,
 * failures towards `retries`; preemption never counts.
 */
export function decide(ending: Ending, history: History, run: RunOptions): Decision {
  if (ending.cause === "cancelled") return final("cancelled");
  if (ending.ok && ending.cause !== "timeout" && ending.cause !== "memory") return final("succeeded");
  // No end yet: if the scheduler starts the element again, that run decides, else the scheduler's word counts.
  if (ending.cause === "ended") return { again: "preempted" };
  if (ending.cause === "preempted")
    return canResume(ending, run) ? { again: "preempted" } : retry(ending, history, run);
  if (ending.cause === "lost") return lost(ending, history, run);
  if (ending.cause === "warned" && !canResume(ending, run)) return retry(ending, history, run);
  if (ending.cause === "timeout" || ending.cause === "warned" || ending.asksAgain)
    return timeout(ending, history, run);
  return retry(ending, history, run);
}

/** A task's history once another attempt is to be followed by one more, for this reason. */
export function withAnother(history: History, why: AgainRecord["why"]): History {
  if (why === "failed") return { ...history, failures: history.failures + 1 };
  if (why === "timeout") return { ...history, timeouts: history.timeouts + 1 };
  return why === "lost" ? { ...history, losses: history.losses + 1 } : history;
}

function timeout(ending: Ending, history: History, run: RunOptions): Decision {
  const state = ending.cause === null ? "failed" : "timeout";
  if (!canResume(ending, run)) return final(state);
  if (history.timeouts >= run.maxTimeouts) return final(state, true);
  return { again: "timeout" };
}

function retry(ending: Ending, history: History, run: RunOptions): Decision {
  if (ending.refusesAgain || history.failures >= run.retries) return final("failed", run.retries > 0);
  return { again: "failed" };
}

/** A lost attempt says nothing about the task, so either permission to run again is enough. */
function lost(ending: Ending, history: History, run: RunOptions): Decision {
  if (canResume(ending, run)) return { again: "lost" };
  if (history.failures + history.losses < run.retries) return { again: "lost" };
  return final("lost", run.retries > 0);
}

function canResume(ending: Ending, run: RunOptions): boolean {
  if (run.requeue === false || ending.refusesAgain) return false;
  return run.requeue === true || ending.asksAgain || ending.hasCheckpoint();
}

function final(state: FinalState, exhausted = false): Decision {
  return { final: state, exhausted };
}
