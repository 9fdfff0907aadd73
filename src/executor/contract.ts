import type { JobSpec, NativeId } from "../model/job.ts";
import type { TaskState } from "../model/states.ts";
import type { OptionSchema } from "./options.ts";
import type { Run } from "./run.ts";

/**
 * The version of the plugin contract that this jobx speaks. It grows when a plugin written before would no longer work
 * as it is; new optional members leave it.
 */
export const CONTRACT_VERSION = 1;

/** The oldest version that this jobx still reads, whatever it has to fill in. */
export const OLDEST_CONTRACT = 1;

/** What an executor can do; the orchestrator offers only this. */
export type Capabilities = {
  /** One submission may have many elements; without, each is a submission of its own. */
  arrays: boolean;
  /** A task may have several ranks. */
  ranks: boolean;
  /** A task may have several nodes. */
  nodes: boolean;
  /** An element can be made to run again under its id; without, what was lost is submitted anew. */
  requeue: boolean;
  /** The time limit is the executor's, which warns before it; without, the worker keeps it by its own clock. */
  signals: boolean;
  /** A submission can wait for others: --after, and --parallel without arrays. */
  dependencies: boolean;
  /** One element runs the whole job, whatever its task count; else an element runs `pack` tasks. */
  wholeJob: boolean;
  /** Jobs run on the host that submits them, by the jobx that submits them; `runtime` of the configuration is for others. */
  thisHost: boolean;
};

/** How well an executor fits this machine: -1 unavailable (nothing is submitted), 0 only when named, 1 fine, 2 a cluster (what `auto` prefers). */
export type Affinity = { score: -1 | 0 | 1 | 2; why: string };

/** What every verb is given besides its subject. */
export type ExecutorContext = {
  home: string;
  /** The submitter's environment. */
  env: Record<string, string | undefined>;
  /** The executor's table of the configuration, validated against `options`. */
  settings: Record<string, unknown>;
  /** Starts a scheduler command: cleaned environment, closed standard input, time limit, logged with `-v`. */
  run: Run;
  /** A note for the person at the terminal (stderr). */
  note(text: string): void;
  /** Where a job that runs in this process writes its standard output: 2 where 1 is kept for one document (`--json`, `-q`). */
  taskOutput: 1 | 2;
  /** Words that start this very jobx, e.g. `["/path/jobx"]`. */
  runtime: string[];
};

/** A job's request before it has an id. */
export type SpecDraft = Omit<JobSpec, "id" | "runtime">;

/** One submission, complete. Resources are exactly as the user gave them. */
export type SubmitRequest = {
  spec: JobSpec;
  /** The job's directory in the home. */
  dir: string;
  /** How many elements the native array has. */
  elements: number;
  /** Argv of the worker; the scheduler starts it once per element and rank. */
  worker: string[];
  /** The environment that the job shall run in. */
  environment: Record<string, string>;
  /** Open a debugger port and wait for it (debug executor only). */
  inspect: boolean;
  /** For an executor that runs the job within `submit`: says that the job has begun, so that others see it. */
  accepted(submission: Submission): void;
};

export type Submission = { natives: NativeId[] };

/** A job as `status`, `cancel` and the other verbs see it. */
export type JobRef = {
  id: number;
  dir: string;
  spec: JobSpec;
  natives: NativeId[];
  /** Whether an element still has tasks without a final record; nothing needs to be asked about the others. */
  isOpen?(element: number): boolean;
};

/** What the executor says of one element. */
export type ElementStatus = {
  job: number;
  element: number;
  /** `unknown`: the executor has never heard of it or has forgotten it. `ended`: it is over, records tell how. */
  state: Exclude<TaskState, "lost"> | "ended" | "unknown";
  /** The scheduler's own word. */
  native: string | null;
  /** Why it waits or why it ended, in words a person understands. */
  reason: string | null;
  node: string | null;
  /** ISO 8601: when it ended, where the executor knows; a record that has been missing for long need not be waited for. */
  endedAt?: string | null;
  /** It ended before it was given a node, so that no record of it can be late. */
  neverStarted?: boolean;
  /** Of an unknown one: all who could know were asked, and know others of its array. Unless it has begun, it was cancelled. */
  isMissingAlone?: boolean;
  /** ISO 8601: when the scheduler said so, where that is known; answers are shared, and some seconds old. */
  asOf?: string;
};

/** What was found about one thing on this machine; `fail`: jobs cannot run. */
export type Finding = {
  name: string;
  verdict: "ok" | "warn" | "fail";
  detail: string;
  /** What to do about it; null when there is nothing to do. */
  mend: string | null;
};

/** Tasks of one job that a verb is about; null means the whole job. */
export type TaskSelection = { job: JobRef; tasks: number[] | null };

/**
 * An executor: runs jobs. The required verbs are few; optional abilities are optional members.
 * All verbs take several jobs at once, so that a scheduler is asked once.
 */
export type Executor = {
  name: string;
  /** One sentence for `jobx plugins` and `jobx help`. */
  description: string;
  /** Where it has not been tried on a real scheduler: what it was written from. `jobx plugins` says so. */
  untried?: string;
  /** The version of the contract that it was written against. */
  contract: number;
  capabilities: Capabilities;
  options: OptionSchema;
  /** How long a record may be late after an element has ended, on slow shared file systems; 30 by default. */
  graceSeconds: number;
  affinity(context: ExecutorContext): Promise<Affinity> | Affinity;
  /** Checks a request before anything is written; throws a JobxError that names what is wrong. */
  validate?(spec: SpecDraft, context: ExecutorContext): Promise<void> | void;
  /** What `--dry-run` shows besides the tasks: the script and the commands of the scheduler. */
  plan?(spec: SpecDraft, context: ExecutorContext): Promise<string> | string;
  submit(request: SubmitRequest, context: ExecutorContext): Promise<Submission>;
  /**
   * One entry per element that is known; missing elements count as `unknown`. `detail`: a person wants to know why they
   * wait, which may cost another call.
   */
  status(jobs: JobRef[], context: ExecutorContext, options?: { detail?: boolean }): Promise<ElementStatus[]>;
  /** What `jobx doctor` says of it on this machine. */
  examine?(context: ExecutorContext): Promise<Finding[]>;
  /** Called after `cancelled.msgpack` was written. */
  cancel(selections: TaskSelection[], context: ExecutorContext): Promise<void>;
  hold?(selections: TaskSelection[], context: ExecutorContext): Promise<void>;
  release?(selections: TaskSelection[], context: ExecutorContext): Promise<void>;
  /** Sends the preemption or timeout warning, to try out checkpointing. */
  interrupt?(
    selections: TaskSelection[],
    kind: "preempted" | "timeout",
    context: ExecutorContext,
  ): Promise<void>;
  requeue?(selections: TaskSelection[], context: ExecutorContext): Promise<void>;
  /**
   * Submits elements again that ended without a record, which the executor will not run again by itself. `natives` are
   * those of the job so far; what this gives is added to them. The request's token is its own.
   */
  resubmit?(
    request: SubmitRequest,
    again: { natives: NativeId[]; elements: number[] },
    context: ExecutorContext,
  ): Promise<Submission>;
  /** Whether a submission of a job with this token was accepted after all; null when not. */
  find?(token: string, context: ExecutorContext, spec: SpecDraft): Promise<Submission | null>;
  /** Argv, folder and environment of a shell inside a running task. */
  shell?(job: JobRef, task: number, context: ExecutorContext): Promise<ShellCommand>;
  /** Reads the scheduler's variables inside a job. */
  environment(env: Record<string, string | undefined>): ElementEnvironment;
};

export type ShellCommand = { argv: string[]; cwd: string; env: Record<string, string> };

/** What the worker learns of its place from the scheduler's variables. */
export type ElementEnvironment = {
  element: number;
  rank: number;
  /** How often the scheduler has restarted this element. */
  restarts: number;
  /** Host names of the allocation; null for this host alone. */
  hostnames: string[] | null;
};
