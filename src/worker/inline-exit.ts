import { messageOf } from "../errors.ts";
import type { ResultRecord } from "../model/records.ts";
import { segmentPath } from "../store/layout.ts";
import { writeSegment } from "../store/segments.ts";
import { diedReason } from "./reasons.ts";
import type { Recorder } from "./recorder.ts";

/** What runs in this process now, as far as records name it. */
export type Running = {
  dir: string;
  /** How many tasks the job has; those after this one never run. */
  tasks: number;
  task: number;
  attempt: number;
  node: string;
  startedAt: string;
  recorder: Recorder;
  note(text: string): void;
};

/**
 * Keeps a function that ends this very process (`process.exit`, or a promise that nothing can settle any more) from
 * leaving its job without records, until the function it returns is called. The process then never exits with 0.
 */
export function recordExit(running: Running): () => void {
  const record = (exitCode: number) => {
    const { dir, task, recorder, note } = running;
    try {
      // A file of its own: the other one may be in the middle of a write.
      const ends = endsBy(exitCode, running);
      writeSegment(segmentPath(dir, 0, 0, 1), [...recorder.unwritten(), ...ends]);
      note(`Task ${task}: ${ends[0]?.reason}`);
    } catch (error) {
      note(`The end of task ${task} could not be recorded in ${dir}: ${messageOf(error)}`);
    }
    if (exitCode === 0) process.exitCode = 1;
  };
  process.on("exit", record);
  return () => void process.removeListener("exit", record);
}

function endsBy(exitCode: number, { tasks, task, attempt, node, startedAt }: Running): ResultRecord[] {
  const reason = diedReason(exitCode, null, null);
  const end = { kind: "result" as const, rank: 0, value: null, error: null, signal: null, node, usage: null };
  const endedAt = new Date().toISOString();
  const own = { ...end, task, attempt, status: "failed" as const, exitCode, reason, startedAt, endedAt };
  const others = Array.from({ length: tasks - task - 1 }, (_, index) => ({
    ...own,
    task: task + 1 + index,
    attempt: 0,
    status: "cancelled" as const,
    exitCode: null,
    reason: `not run, because task ${task} ended the process that runs them all`,
    startedAt: endedAt,
  }));
  return [own, ...others];
}
