import { JobxError } from "../errors.ts";
import { type Counts, jobStateOf, type TaskState } from "../model/states.ts";
import { jobIds, readSpec, readSummary } from "../store/jobs.ts";
import { jobDir } from "../store/layout.ts";
import { JobReader } from "./job-reader.ts";
import type { Services } from "./services.ts";
import { settle } from "./settle.ts";
import { type Times, timesOf } from "./summary.ts";

export type JobSummary = Times & {
  id: number;
  name: string;
  executor: string;
  state: TaskState;
  counts: Counts;
  tasks: number;
  /** ISO 8601 UTC. */
  created: string;
  host: string;
};

export type ListFilter = { states?: TaskState[]; name?: string; limit?: number };

/**
 * Jobs, newest first. A job that has ended costs two small files; only the others are read whole and
 * asked about. A job that cannot be read is named in a note and left out.
 */
export async function listJobs(services: Services, filter: ListFilter = {}): Promise<JobSummary[]> {
  const glob = filter.name === undefined ? null : new Bun.Glob(filter.name);
  const rows: (JobSummary | JobReader)[] = [];
  const limit = filter.limit ?? Number.POSITIVE_INFINITY;
  const ids = jobIds(services.home).sort((a, b) => b - a);
  for (const id of ids) {
    // Without a filter on states, what is needed is known before executors are asked.
    if (rows.length >= limit && !filter.states) break;
    const row = openRow(services, id);
    if (row && (!glob || glob.match(row instanceof JobReader ? row.spec.name : row.name))) rows.push(row);
  }
  await settle(
    services,
    rows.filter((row) => row instanceof JobReader),
  );
  const summaries = rows.map((row) => (row instanceof JobReader ? summarise(row) : row));
  return summaries.filter((row) => !filter.states || filter.states.includes(row.state)).slice(0, limit);
}

/** The finished summary of a job, or its reader where it has not ended; null for one that is just being made. */
function openRow(services: Services, id: number): JobSummary | JobReader | null {
  const dir = jobDir(services.home, id);
  try {
    const summary = readSummary(dir);
    if (!summary) return new JobReader(services.home, id);
    const { name, executor, tasks, created, host } = readSpec(dir);
    return { id, name, executor, tasks, created, host, state: jobStateOf(summary.counts), ...summary };
  } catch (error) {
    if (!(error instanceof JobxError)) throw error;
    if (error.code !== "NOT_FOUND") services.note(`Job ${id} cannot be read: ${error.message}`);
    return null;
  }
}

function summarise(reader: JobReader): JobSummary {
  const { name, executor, tasks, created, host } = reader.spec;
  const { id, state, counts } = reader;
  return { id, name, executor, tasks, created, host, state, counts, ...timesOf(reader) };
}
