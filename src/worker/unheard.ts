import type { JobSpec } from "../model/job.ts";
import { holdsCheckpoint } from "../store/checkpoints.ts";
import { checkpointDir } from "../store/layout.ts";
import { logNames, noteInLogs } from "./logs.ts";
import type { Unheard } from "./rank.ts";
import { blockedReason } from "./reasons.ts";

type Place = { dir: string; spec: JobSpec; task: number };

/**
 * Judges a function that does nothing about a warning: why it is to be ended at once, or null to leave it alone. A
 * preemption costs it nothing that it has not lost already, if it may run again. Notes in the log that one blocks.
 */
export function judgeUnheard(place: Place, kind: "preempted" | "timeout", how: Unheard): string | null {
  const ends = kind === "preempted" && mayRunAgain(place);
  const reason = how === "blocked" ? blockedReason(kind) : kind;
  if (how === "blocked") {
    const { dir, spec, task } = place;
    const names = logNames(dir, spec.tasks, task, 0, spec.run.mergeOutput);
    noteInLogs(names, `${reason}; ${ends ? "it is ended" : "it is left alone"}`);
  }
  return ends ? reason : null;
}

/** Whether a task that is ended by a preemption is run again. */
export function mayRunAgain({ dir, spec, task }: Place): boolean {
  return spec.run.requeue ?? holdsCheckpoint(checkpointDir(dir, spec.tasks, task));
}
