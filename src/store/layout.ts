import { join } from "node:path";

/**
 * Every path under a home, and nothing else knows them. A home may be on NFS or Lustre: no locks, no
 * mmap, no SQLite in it.
 *
 *     jobs/reserved.msgpack         the highest id of a job that was removed
 *     jobs/12/job.msgpack, payload.msgpack, native.msgpack, cancelled.msgpack, summary.msgpack, environment.msgpack
 *     jobs/12/results/0/0.0.0.seg   element, supervisor start, rank
 *     jobs/12/values/3.0.0.bin      a value too large for a segment: task, attempt, rank
 *     jobs/12/params/3.json         parameters of task 3 that are too long for a variable
 *     jobs/12/verdicts/             final states of tasks that left no record
 *     jobs/12/logs/3.out, 3.err     task 3 (3.1.out for rank 1); sharded by thousands where a job has more tasks
 *     jobs/12/checkpoints/3/        kept across attempts of task 3; its function's states are state-7.jobx in it
 *     code/<sha256>/                bundled functions
 *     bin/                          pinned runtimes
 *     cache/                        safe to delete
 */
const SHARD = 1000;

export const homeDirs = {
  jobs: (home: string) => join(home, "jobs"),
  code: (home: string) => join(home, "code"),
  bin: (home: string) => join(home, "bin"),
  cache: (home: string) => join(home, "cache"),
};

export function jobDir(home: string, id: number): string {
  return join(homeDirs.jobs(home), String(id));
}

export function codeDir(home: string, sha256: string): string {
  return join(homeDirs.code(home), sha256);
}

/** Touched every 30 s by the local queue of a host while it has jobs of this home. */
export function heartbeatPath(home: string, host: string): string {
  return join(homeDirs.cache(home), `queue-${host}.alive`);
}

/** What a scheduler answered, for the jobx processes that would ask it the same. */
export function answerPath(home: string, name: string): string {
  return join(homeDirs.cache(home), `${name}.json`);
}

/** The home that a job directory belongs to. */
export function homeOf(dir: string): string {
  return join(dir, "..", "..");
}

/**
 * The files of one job, by the job's directory. Plain text instead of `join`, which takes a microsecond or two: a
 * supervisor needs a dozen of these paths for each task.
 */
export const jobFiles = {
  spec: (dir: string) => `${dir}/job.msgpack`,
  payload: (dir: string) => `${dir}/payload.msgpack`,
  native: (dir: string) => `${dir}/native.msgpack`,
  /** Made by the one process that submits lost elements again, when the job had so many native arrays; see claims.ts. */
  again: (dir: string, arrays: number, turn: number) => `${dir}/again-${arrays}-${turn}.msgpack`,
  cancelled: (dir: string) => `${dir}/cancelled.msgpack`,
  held: (dir: string) => `${dir}/held.msgpack`,
  interrupted: (dir: string) => `${dir}/interrupted.msgpack`,
  summary: (dir: string) => `${dir}/summary.msgpack`,
  /** The submitter's environment, where the executor cannot carry it; deleted when the job is final. */
  environment: (dir: string) => `${dir}/environment.msgpack`,
  script: (dir: string) => `${dir}/submit.sh`,
  results: (dir: string) => `${dir}/results`,
  values: (dir: string) => `${dir}/values`,
  params: (dir: string) => `${dir}/params`,
  verdicts: (dir: string) => `${dir}/verdicts`,
  logs: (dir: string) => `${dir}/logs`,
  checkpoints: (dir: string) => `${dir}/checkpoints`,
};

/** The segment of one element, supervisor start (`start`: 0, 1, ...) and rank. */
export function segmentPath(dir: string, element: number, start: number, rank: number): string {
  return `${jobFiles.results(dir)}/${Math.floor(element / SHARD)}/${element}.${start}.${rank}.seg`;
}

/** Reads a segment's name back; null for any other file. */
export function parseSegmentName(name: string): { element: number; start: number; rank: number } | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.seg$/.exec(name);
  return match ? { element: Number(match[1]), start: Number(match[2]), rank: Number(match[3]) } : null;
}

export type LogStream = "out" | "err";

/** The log of one rank of a task, appended across attempts. `tasks` is the job's task count, which decides on sharding. */
export function logPath(dir: string, tasks: number, task: number, rank: number, stream: LogStream): string {
  const name = rank === 0 ? `${task}.${stream}` : `${task}.${rank}.${stream}`;
  return `${logFolder(dir, tasks, task)}/${name}`;
}

export function logFolder(dir: string, tasks: number, task: number): string {
  return tasks <= SHARD ? jobFiles.logs(dir) : `${jobFiles.logs(dir)}/${Math.floor(task / SHARD)}`;
}

/** What the scheduler or the queue itself captured before and around an element's worker. */
export function elementLogPath(dir: string, element: number): string {
  return `${jobFiles.logs(dir)}/element-${element}.log`;
}

export function valuePath(dir: string, name: string): string {
  return `${jobFiles.values(dir)}/${name}`;
}

export function valueName(task: number, attempt: number, rank: number): string {
  return `${task}.${attempt}.${rank}.bin`;
}

/** The file that `JOBX_RESULT` names to one rank of a command; gone once its value was taken. */
export function resultFilePath(dir: string, task: number, attempt: number, rank: number): string {
  return `${jobFiles.values(dir)}/${task}.${attempt}.${rank}.json`;
}

/** How a rank that a scheduler's launcher started has ended; gone once its supervisor has read it. */
export function rankEndPath(dir: string, task: number, attempt: number, rank: number): string {
  return join(jobFiles.values(dir), `${task}.${attempt}.${rank}.end`);
}

/** Tells the ranks on other hosts that the warning they get is that of a time limit; gone when they have ended. */
export function limitNoticePath(dir: string, task: number, attempt: number): string {
  return join(jobFiles.values(dir), `${task}.${attempt}.limit`);
}

/** The parameters of a task as JSON, where they are too long for a variable. */
export function paramsPath(dir: string, task: number): string {
  return `${jobFiles.params(dir)}/${task}.json`;
}

/** Where a task keeps its checkpoints; lasts across attempts. */
export function checkpointDir(dir: string, tasks: number, task: number): string {
  const base = jobFiles.checkpoints(dir);
  return tasks <= SHARD ? `${base}/${task}` : `${base}/${Math.floor(task / SHARD)}/${task}`;
}

/** A state that a task's function saved, in its checkpoint folder; the highest number is the latest. */
export function statePath(folder: string, number: number): string {
  return `${folder}/state-${number}.jobx`;
}

/** Reads a state's name back; null for any other file, which is the task's own. */
export function parseStateName(name: string): number | null {
  const match = /^state-(\d+)\.jobx$/.exec(name);
  return match ? Number(match[1]) : null;
}

/** Whether this is what a save that was cut short has left. */
export function isStateLeftover(name: string): boolean {
  return /^\.state-\d+\.jobx\..+\.tmp$/.test(name);
}
