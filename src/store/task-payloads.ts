import { JobxError } from "../errors.ts";
import type { JobSpec, PlainTasks, TaskPayload } from "../model/job.ts";
import { numberAt } from "../model/ranges.ts";
import { jobFiles } from "./layout.ts";
import { openPayloadFile } from "./payload.ts";

/** The arguments of a job's tasks, wherever they are. Close it. */
export type TaskPayloads = {
  /** The arguments of a task. Throws NOT_FOUND for an index outside, DAMAGED where its bytes do not match. */
  get(index: number): TaskPayload;
  /** How many bytes they take on disk. */
  sizeOf(index: number): number;
  close(): void;
};

/** Opens the arguments of a job's tasks; the request says those of plain ones. Throws NOT_FOUND, DAMAGED, FORMAT or STORAGE. */
export function openPayload(dir: string, spec: Pick<JobSpec, "plain">): TaskPayloads {
  return spec.plain ? plainPayloads(dir, spec.plain) : openPayloadFile(jobFiles.payload(dir));
}

function plainPayloads(dir: string, plain: PlainTasks): TaskPayloads {
  const get = (task: number): TaskPayload => {
    if (plain.length === 0 && task === 0) return { params: null, line: null, args: [] };
    const index = Number.isInteger(task) && task >= 0 ? numberAt(plain, task) : null;
    if (index === null) throw new JobxError("NOT_FOUND", `The job in ${dir} has no task ${task}`);
    return { params: { index }, line: null, args: [] };
  };
  return { get, sizeOf: () => 0, close: () => undefined };
}
