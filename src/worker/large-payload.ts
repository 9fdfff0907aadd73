import type { FunctionEntry, JobSpec, TaskPayload } from "../model/job.ts";
import { homeOf, jobFiles } from "../store/layout.ts";
import { openPayloadFile } from "../store/payload.ts";
import type { TaskPayloads } from "../store/task-payloads.ts";
import { calledBy, type FunctionTask } from "./runner-protocol.ts";

/** Arguments of more than this are read by the process that calls the function, and by no other. */
const LARGE_BYTES = 1024 * 1024;

/** Stands for arguments that were left where they are. */
const LEFT: TaskPayload = Object.freeze({ params: null, line: null, args: [] });

/** The arguments of a task, as its supervisor needs them: those of a function may stay in their file. */
export function heldPayload(spec: JobSpec, payloads: TaskPayloads, task: number): TaskPayload {
  // Parameters are variables of the process as well.
  const isLarge = spec.entry.kind === "function" && !spec.templated && payloads.sizeOf(task) > LARGE_BYTES;
  return isLarge ? LEFT : payloads.get(task);
}

/** What the process that calls the function needs to read what was left; null where nothing was. */
export function leftBehind(entry: FunctionEntry, payload: TaskPayload): FunctionEntry | null {
  return payload === LEFT ? entry : null;
}

/** The call with the arguments that were left in the job's payload. Throws NOT_FOUND or DAMAGED. */
export function withArguments(task: FunctionTask): FunctionTask {
  const { left, dir } = task;
  if (!left) return task;
  const payloads = openPayloadFile(jobFiles.payload(dir));
  try {
    return { ...task, ...calledBy(homeOf(dir), left, payloads.get(task.task)) };
  } finally {
    payloads.close();
  }
}
