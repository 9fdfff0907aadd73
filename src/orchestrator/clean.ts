import { statSync } from "node:fs";

import { JobxError, messageOf } from "../errors.ts";
import type { JobSpec } from "../model/job.ts";
import { finalOf, type TaskState } from "../model/states.ts";
import { jobIds, readSpec, removeJob, reserveIds } from "../store/jobs.ts";
import { jobDir } from "../store/layout.ts";
import { cleanCode, type CleanedFile, cleanRuntimes } from "./clean-code.ts";
import { folderBytes } from "./folder-bytes.ts";
import { type JobSummary, listJobs } from "./list.ts";
import type { Services } from "./services.ts";

export type CleanOptions = {
  /** Only jobs that ended longer ago than this; without it whatever has ended. */
  olderThanSeconds?: number;
  /** Only jobs in these states. */
  states?: TaskState[];
  /** Say what would go, and remove nothing. */
  dryRun: boolean;
};

/** One job that goes; name and state are null for what an interrupted submission left. */
export type CleanedJob = { id: number; name: string | null; state: TaskState | null; bytes: number };

export type CleanReport = {
  jobs: CleanedJob[];
  /** Code that no job refers to, by its hash. */
  snapshots: CleanedFile[];
  /** Pinned copies of jobx that no job refers to. */
  runtimes: CleanedFile[];
  /** The sum of all of them. */
  bytes: number;
};

/** What was made within this time may belong to a submission that is not written yet. */
const YOUNG_MS = 3_600_000;

/**
 * Removes jobs that have ended, then code snapshots and pinned runtimes that no remaining job refers to.
 * A job that has not ended stays, and so does one that such a job waits for. Where the request of any job
 * cannot be read, no snapshot goes, since it might be that job's. What cannot be removed is noted.
 */
export async function cleanHome(services: Services, options: CleanOptions): Promise<CleanReport> {
  const { home } = services;
  const { going, staying, unreadable } = await chooseJobs(services, options);
  const jobs: CleanedJob[] = [];
  const newest = going.at(-1);
  if (newest && !options.dryRun) reserveIds(home, newest.id);
  for (const { spec, ...job } of going) {
    if (options.dryRun || attempt(services, () => removeJob(jobDir(home, job.id)))) jobs.push(job);
    else if (spec) staying.push(spec);
  }
  if (unreadable) services.note("Snapshots are kept, since the request of some job cannot be read");
  const choice = { references: referencesOf(staying, services), dryRun: options.dryRun, youngMs: YOUNG_MS };
  const tell = (text: string) => services.note(text);
  const snapshots = unreadable ? [] : cleanCode(home, choice, tell);
  const runtimes = unreadable ? [] : cleanRuntimes(home, choice, tell);
  const bytes = [...jobs, ...snapshots, ...runtimes].reduce((sum, each) => sum + each.bytes, 0);
  return { jobs, snapshots, runtimes, bytes };
}

type Choice = {
  going: (CleanedJob & { spec: JobSpec | null })[];
  staying: JobSpec[];
  /** Whether some job's request cannot be read. */
  unreadable: boolean;
};

async function chooseJobs(services: Services, options: CleanOptions): Promise<Choice> {
  const { home } = services;
  const summaries = new Map((await listJobs(services)).map((job) => [job.id, job]));
  const specs = readSpecs(home);
  const waitedFor = predecessors(summaries, specs);
  const choice: Choice = { going: [], staying: [], unreadable: false };
  for (const id of jobIds(home).sort((a, b) => a - b)) {
    const summary = summaries.get(id);
    const spec = specs.get(id);
    const dir = jobDir(home, id);
    if (summary && spec && hasEnded(summary) && !waitedFor.has(id) && matches(summary, options)) {
      choice.going.push({ id, name: summary.name, state: summary.state, bytes: folderBytes(dir), spec });
    } else if (spec) {
      choice.staying.push(spec);
    } else if (spec === undefined) {
      choice.unreadable = true;
    } else if (!options.states && isOld(dir)) {
      choice.going.push({ id, name: null, state: null, bytes: folderBytes(dir), spec });
    }
  }
  return choice;
}

/** By id; null where there is none (an unfinished submission), absent where it cannot be read. */
function readSpecs(home: string): Map<number, JobSpec | null> {
  const specs = new Map<number, JobSpec | null>();
  for (const id of jobIds(home)) {
    try {
      specs.set(id, readSpec(jobDir(home, id)));
    } catch (error) {
      if (!(error instanceof JobxError)) throw error;
      if (error.code === "NOT_FOUND") specs.set(id, null);
    }
  }
  return specs;
}

/** The jobs that one which has not ended waits for: their records decide whether it may start. */
function predecessors(
  summaries: ReadonlyMap<number, JobSummary>,
  specs: ReadonlyMap<number, JobSpec | null>,
): Set<number> {
  const ids = new Set<number>();
  for (const [id, spec] of specs) {
    const summary = summaries.get(id);
    if (!spec || (summary && hasEnded(summary))) continue;
    for (const { job } of spec.run.after) ids.add(job);
  }
  return ids;
}

function hasEnded(job: JobSummary): boolean {
  return finalOf(job.counts) === job.tasks;
}

function matches(job: JobSummary, { states, olderThanSeconds }: CleanOptions): boolean {
  if (states && !states.includes(job.state)) return false;
  const ageSeconds = (Date.now() - Date.parse(job.endedAt ?? job.created)) / 1000;
  return olderThanSeconds === undefined || ageSeconds > olderThanSeconds;
}

/** Everything that jobs name, as one text to search in: hashes and paths, wherever in the request they stand. */
function referencesOf(specs: readonly JobSpec[], services: Services): string {
  const named = specs.map(({ entry, runtime, options }) => JSON.stringify([entry, runtime, options]));
  return [...named, ...services.runtime, ...services.remoteRuntime].join("\n");
}

function isOld(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > YOUNG_MS;
}

function attempt(services: Services, remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch (error) {
    services.note(messageOf(error));
    return false;
  }
}
