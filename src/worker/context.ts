import { readFileSync } from "node:fs";
import { hostname } from "node:os";

import { JobxError } from "../errors.ts";

/** What a function can know of the job that it runs in. */
export type JobContext = {
  /** The job's id in its home. */
  job: number;
  task: number;
  /** How many tasks the job has. */
  numTasks: number;
  /** This process among all of the task's, from 0. */
  rank: number;
  /** This process among the task's on this node, from 0. */
  localRank: number;
  /** The name of this host. */
  node: string;
  numNodes: number;
  numRanks: number;
  hostnames: string[];
  /** 0, then one more for each requeue or retry. */
  attempt: number;
  executor: string;
  /** The task's row of a sweep, an array or a parameter file; null without. */
  params: Record<string, unknown> | null;
  paths: {
    /** The job's directory in the home. */
    dir: string;
    /** Lasts across the attempts of this task. */
    checkpoint: string;
    /** Where standard output and standard error go; null outside a function's own process. */
    stdout: string | null;
    stderr: string | null;
  };
  /** Aborted when the task is preempted or its time limit is near: `reason.kind` is "preempted" or "timeout". */
  readonly signal: AbortSignal;
};

let current: JobContext | null = null;
let imports = 0;
/** Where nobody can be warned. */
const silent = new AbortController().signal;

/**
 * The job that this code runs in; in a command of a job it is read from the `JOBX_*` variables.
 * Throws USAGE outside of a job.
 */
export function jobContext(): JobContext {
  if (current) return current;
  const context = contextFromEnvironment(process.env);
  if (context) return context;
  throw new JobxError("USAGE", "jobContext() was called outside of a job", {
    hint: "Call it in the function that a job runs, not when the module is loaded by something else",
  });
}

/** Whether this process is calling a job's function, whose modules are its own; false in a job's command. */
export function isInFunction(): boolean {
  return current !== null;
}

/** Makes `context` what `jobContext()` gives, and gives what it was. One task at a time, or one within another. */
export function setJobContext(context: JobContext | null): JobContext | null {
  const before = current;
  current = context;
  return before;
}

/** Whether a task's module is being imported in this process: what it does then, it does in every task. */
export function isImporting(): boolean {
  return imports > 0;
}

/** Imports a task's module; `isImporting()` is true meanwhile. */
export async function whileImporting<T>(load: () => Promise<T>): Promise<T> {
  imports++;
  try {
    return await load();
  } finally {
    imports--;
  }
}

/** The context that `JOBX_*` variables describe; null where there is no `JOBX_JOB`. */
export function contextFromEnvironment(
  env: Record<string, string | undefined>,
  own: Partial<
    Pick<JobContext, "params"> & { signal: () => AbortSignal; stdout: string; stderr: string }
  > = {},
): JobContext | null {
  if (!env.JOBX_JOB) return null;
  const rank = numberOf(env.JOBX_RANK, 0);
  const node = env.JOBX_NODE || hostname();
  return {
    job: numberOf(env.JOBX_JOB, 0),
    task: numberOf(env.JOBX_TASK, 0),
    numTasks: numberOf(env.JOBX_NUM_TASKS, 1),
    rank,
    localRank: numberOf(env.JOBX_LOCAL_RANK, rank),
    node,
    numNodes: numberOf(env.JOBX_NUM_NODES, 1),
    numRanks: numberOf(env.JOBX_NUM_RANKS, 1),
    hostnames: env.JOBX_HOSTNAMES ? env.JOBX_HOSTNAMES.split(",") : [node],
    attempt: numberOf(env.JOBX_ATTEMPT, 0),
    executor: env.JOBX_EXECUTOR ?? "local",
    params: own.params === undefined ? paramsOf(env) : own.params,
    paths: {
      dir: env.JOBX_DIR ?? "",
      checkpoint: env.JOBX_CHECKPOINT_DIR ?? "",
      stdout: own.stdout ?? null,
      stderr: own.stderr ?? null,
    },
    get signal() {
      return own.signal?.() ?? silent;
    },
  };
}

function paramsOf(env: Record<string, string | undefined>): Record<string, unknown> | null {
  const text = env.JOBX_PARAMS_FILE ? readFileSync(env.JOBX_PARAMS_FILE, "utf8") : env.JOBX_PARAMS;
  if (!text) return null;
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : null;
}

function numberOf(text: string | undefined, otherwise: number): number {
  return text === undefined || text === "" ? otherwise : Number(text);
}
