import type { JobSpec, NativeId } from "../model/job.ts";
import type { Counts, TaskState } from "../model/states.ts";
import type { TaskView } from "../model/task-view.ts";
import type { Damage } from "../store/segment-reader.ts";
import { JobReader } from "./job-reader.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";
import { type Times, timesOf } from "./summary.ts";

/** One job as it stands now: what the records say, and where they are silent, the executor. */
export type JobView = {
  id: number;
  dir: string;
  spec: JobSpec;
  natives: NativeId[];
  counts: Counts;
  state: TaskState;
  /** Why the job waits; null where it does not. */
  reason: string | null;
  startedAt: string | null;
  endedAt: string | null;
  seconds: number | null;
  /** Bytes on disk that did not match their checksum, by file and offset. */
  damage: Damage[];
  task(index: number): TaskView;
  /** When its first attempt began and its last one ended. */
  timesOf(index: number): Pick<TaskView, "startedAt" | "endedAt">;
  /** What records and verdicts alone say of a task; the executor's word on it is not the last. */
  recordedState(index: number): TaskState;
  /** Every task in order; made when asked for, since a job may have 100,000. */
  tasks(): Iterable<TaskView>;
};

/** Reads jobs from disk and asks their executors, in one call each, about what has not ended; `detail` for a person. */
export async function readJobs(
  services: Services,
  ids: number[],
  options: { detail?: boolean } = {},
): Promise<JobView[]> {
  const readers = ids.map((id) => new JobReader(services.home, id));
  await settle(services, readers, options);
  return readers.map(viewOf);
}

/** One of them. */
export async function readJob(services: Services, id: number): Promise<JobView> {
  const reader = new JobReader(services.home, id);
  await settle(services, [reader]);
  return viewOf(reader);
}

/** The view of a reader, as it stands at this moment. */
export function viewOf(reader: JobReader): JobView {
  const { id, dir, spec, counts, damage } = reader;
  // Times take a look at every task, so they are found only when asked for.
  let found: Times | null = null;
  const times = () => (found ??= timesOf(reader));
  return {
    id,
    dir,
    spec,
    natives: reader.natives ?? [],
    counts,
    state: reader.state,
    reason: counts.queued > 0 ? (reader.rest?.reason ?? firstReason(reader)) : null,
    get startedAt() {
      return times().startedAt;
    },
    get endedAt() {
      return times().endedAt;
    },
    get seconds() {
      return times().seconds;
    },
    damage,
    task: (index) => reader.task(index),
    timesOf: (index) => reader.timesOf(index),
    recordedState: (index) => reader.recordedState(index),
    tasks: () => tasksOf(reader),
  };
}

function firstReason(reader: JobReader): string | null {
  for (const [task, overlay] of reader.overlays) {
    if (overlay.state === "queued" && overlay.reason) return reader.task(task).reason;
  }
  return null;
}

function* tasksOf(reader: JobReader): Iterable<TaskView> {
  for (let index = 0; index < reader.spec.tasks; index++) yield reader.task(index);
}
