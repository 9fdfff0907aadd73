import type { TaskView } from "../model/task-view.ts";
import type { Summary } from "../store/jobs.ts";
import type { JobReader } from "./job-reader.ts";

/** What `list` needs of a job that has ended: its counts and its times, from its tasks. */
export function summaryOf(reader: JobReader): Summary {
  return { counts: reader.counts, ...timesOf(reader) };
}

export type Times = { startedAt: string | null; endedAt: string | null; seconds: number | null };

/** The times of a whole job. */
export function timesOf(reader: JobReader): Times {
  return spanOf(begunTasks(reader), reader.isFinal);
}

/** When the first task began and, once all have ended, when the last one did; seconds between them, or until now. */
export function spanOf(tasks: Iterable<Pick<TaskView, "startedAt" | "endedAt">>, ended: boolean): Times {
  let startedAt: string | null = null;
  let endedAt: string | null = null;
  for (const task of tasks) {
    // ISO 8601 UTC texts of one length sort as the times they mean.
    if (task.startedAt && (startedAt === null || task.startedAt < startedAt)) startedAt = task.startedAt;
    if (task.endedAt && (endedAt === null || task.endedAt > endedAt)) endedAt = task.endedAt;
  }
  if (!ended) endedAt = null;
  const until = endedAt === null ? Date.now() : Date.parse(endedAt);
  const seconds = startedAt === null ? null : Math.max(0, (until - Date.parse(startedAt)) / 1000);
  return { startedAt, endedAt, seconds };
}

/** Tasks that wait have no times. */
function* begunTasks(reader: JobReader): Iterable<Pick<TaskView, "startedAt" | "endedAt">> {
  for (let index = 0; index < reader.spec.tasks; index++) {
    if (reader.recordedState(index) !== "queued") yield reader.timesOf(index);
  }
}
