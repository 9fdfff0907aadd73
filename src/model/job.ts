import type { Range } from "./ranges.ts";
import type { Resources } from "./resources.ts";

/**
 * A shell-less command; each word may hold placeholders such as `{lr}` when the job has parameters. Without
 * words, each task's own are the `args` of its payload.
 */
export type CommandEntry = { kind: "command"; argv: string[] };

/** One function: where it is, and its snapshot. */
export type FunctionCode = {
  /** The user's own file, absolute; of an inline function with the line it was written in, `/path/sweep.ts:12`. */
  file: string;
  export: string;
  /** sha256 of the snapshot in `code/`; null imports `file` as it is when the task runs. */
  code: string | null;
};

/** A function that all tasks call. */
export type FunctionEntry = FunctionCode & {
  kind: "function";
  /** Further functions of a job whose tasks call different ones; payloads name them by number, 1 for the first of these. */
  more?: FunctionCode[];
};

export type Entry = CommandEntry | FunctionEntry;

/** When a job may start, seen from another job. `each`: task i after task i. */
export type DependencyKind = "ok" | "any" | "fail" | "each";
export type Dependency = {
  job: number;
  tasks?: number[];
  kind: DependencyKind;
  /** What the scheduler knows does not decide it: it waits for their end, and the worker judges by records. */
  judged?: true;
};

/** How the job's tasks are run, whatever the executor. Complete: every default is filled in. */
export type RunOptions = {
  /** Run a failed task again, up to this often. */
  retries: number;
  /** Requeue after a timeout, up to this often. */
  maxTimeouts: number;
  /** true: run again from the start after preemption, timeout or loss; false: never; null: only with a checkpoint or exit code 85. */
  requeue: boolean | null;
  /** Warn a task this many seconds before its limit. */
  signalDelaySeconds: number;
  /** At most this many tasks at once; null for no limit. */
  parallel: number | null;
  pack: { tasks: number; slots: number };
  after: Dependency[];
  setup: string[];
  teardown: string[];
  /** Words put before the task's command. */
  launcher: string[];
  /** Commands: keep standard output as the result value. */
  capture: boolean;
  /** stderr goes where stdout goes. */
  mergeOutput: boolean;
  /** Set MASTER_ADDR, RANK and their kin. */
  distributed: boolean;
  /** Pass only HOME, USER, PATH, LANG and TERM. */
  cleanEnv: boolean;
  /** Variables set on top of the environment; values may hold placeholders. */
  env: Record<string, string>;
  /** Sizes above this are refused at submit, in bytes. */
  maxPayloadBytes: number;
};

/** job.msgpack: the request, written once. */
export type JobSpec = {
  id: number;
  name: string;
  executor: string;
  /** Unique to this submission; a scheduler can be asked whether it has it. */
  token: string;
  tasks: number;
  entry: Entry;
  /** Whether argv and env values are templates (a sweep, parameters or an array was given). */
  templated: boolean;
  /** Whether `--array` gave the parameter `index`: commands then see SLURM_ARRAY_TASK_ID as in sbatch. */
  array: boolean;
  /** What the tasks are where they need no payload.msgpack; null or absent where that has their arguments. */
  plain?: PlainTasks | null;
  /** What `{index}` means for each task of a job that retries others; null where it is the task's own index. */
  indices: number[] | null;
  resources: Resources;
  /** The executor's own options, validated by its schema. */
  options: Record<string, unknown>;
  run: RunOptions;
  cwd: string;
  user: string;
  host: string;
  /** The process that submitted, which tells whether it still does; null or absent where that is not known. */
  submitter?: Submitter | null;
  /** The jobx that submitted. */
  version: string;
  /** ISO 8601 UTC. */
  created: string;
  /** Words that start the worker, before `_worker DIR`: the pinned binary, or Bun and the entry file. */
  runtime: string[];
  /** The job and tasks that this one retries: `tasks[i]` is the origin of task i. */
  origin: { job: number; tasks: number[] } | null;
};

/** A process of `host`: `start` tells it from a later one of the same number, `space` what its number counts. */
export type Submitter = { pid: number; start: string; space: string };

/** One task's arguments, a record of payload.msgpack. */
export type TaskPayload = {
  /** Named parameters of a sweep, a parameter file or an array; null without. */
  params: Record<string, unknown> | null;
  /** The whole line or row, for `{}`; null without `--params`. */
  line: string | null;
  /** Positional arguments of a function, the row not included; a command's words where its entry has none. */
  args: unknown[];
  /** Which of the job's functions to call: 0 or absent for the entry's own, else one of `more`. */
  fn?: number;
  /** A sequence: calls to make one after the other instead; the task's value is the array of theirs. */
  steps?: { fn: number; args: unknown[] }[];
};

/** The tasks of a job, in order. */
export type TaskList = Iterable<TaskPayload> & {
  /** What they are where that says it all. */
  plain?: PlainTasks | null;
};

/** Tasks that are nothing but the numbers of an array, each its parameter `index`; empty for one task without any parameter. */
export type PlainTasks = Range[];

/** The native id that a scheduler gave, with what makes it unambiguous. */
export type NativeId = {
  id: string;
  /** The cluster (Slurm) or host (local) it belongs to. */
  cluster: string | null;
  /** ISO 8601 UTC; ids are reused after a controller reset. */
  submitted: string;
  /** The first element of the job that this native array holds, and how many. */
  firstElement: number;
  elements: number;
  /** Native indices, of an array that runs only some of those again whose earlier run was lost; absent for all. */
  only?: number[];
  /** The folder of the local queue that took it: a scheduler's allocation has another one than the host. Absent elsewhere. */
  queue?: string;
};

/** native.msgpack: written once the scheduler accepted, and anew when it accepted what had been lost. */
export type NativeJob = { natives: NativeId[] };
