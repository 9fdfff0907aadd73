import type { Summary } from "../store/jobs.ts";
import type { JobReader } from "./job-reader.ts";

/** What `list` needs of a job that has ended: its counts and its times, from its tasks. */
export function summaryOf(reader: JobReader): Summary {
  return { counts: reader.counts, ...timesOf(reader) };
}

export type Times = { startedAt: string | null; endedAt: string | null; seconds: number | null };

/** The times of a whole job. */
export function timesOf(reader: JobReader): Times {
  return spanOf(Array(reader.spec.tasks).keys(), reader, reader.isFinal);
}

/** When the first of some tasks began and, once all have ended, when the last one did; seconds between them, or until now. */
export function spanOf(tasks: Iterable<number>, job: Pick<JobReader, "timesOf">, ended: boolean): Times {
  let startedAt: string | null = null;
  let endedAt: string | null = null;
  for (const index of tasks) {
    const task = job.timesOf(index);
    // ISO 8601 UTC texts of one length sort as the times they mean.
    if (task.startedAt && (startedAt === null || task.startedAt < startedAt)) startedAt = task.startedAt;
    if (task.endedAt && (endedAt === null || task.endedAt > endedAt)) endedAt = task.endedAt;
  }
  if (!ended) endedAt = null;
  const until = endedAt === null ? Date.now() : Date.parse(endedAt);
  const seconds = startedAt === null ? null : Math.max(0, (until - Date.parse(startedAt)) / 1000);
  return { startedAt, endedAt, seconds };
}
