// Made by scripts/types from the sources; changes made here are lost.

import { ErrorCode, JobxError, TaskState } from "jobx";

export { ErrorCode, JobxError, TaskState };

/** How well an executor fits this machine: -1 unavailable (nothing is submitted), 0 only when named, 1 fine, 2 a cluster (what `auto` prefers). */
export type Affinity = {
  score: -1 | 0 | 1 | 2;
  why: string;
};

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

/** What the worker learns of its place from the scheduler's variables. */
export type ElementEnvironment = {
  element: number;
  rank: number;
  /** How often the scheduler has restarted this element. */
  restarts: number;
  /** Host names of the allocation; null for this host alone. */
  hostnames: string[] | null;
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
  status(
    jobs: JobRef[],
    context: ExecutorContext,
    options?: {
      detail?: boolean;
    },
  ): Promise<ElementStatus[]>;
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
    again: {
      natives: NativeId[];
      elements: number[];
    },
    context: ExecutorContext,
  ): Promise<Submission>;
  /** Whether a submission of a job with this token was accepted after all; null when not. */
  find?(token: string, context: ExecutorContext, spec: SpecDraft): Promise<Submission | null>;
  /** Argv, folder and environment of a shell inside a running task. */
  shell?(job: JobRef, task: number, context: ExecutorContext): Promise<ShellCommand>;
  /** Reads the scheduler's variables inside a job. */
  environment(env: Record<string, string | undefined>): ElementEnvironment;
};

export type OptionSchema = Record<string, OptionSpec>;

/** One option of an executor: `-o NAME=VALUE`, or a key of its table in the configuration. */
export type OptionSpec<T = unknown> = {
  description: string;
  /** What stands for the value in help texts, e.g. "TEXT" or "a|b". */
  placeholder: string;
  /** Reads a value as it was given, text or TOML; throws an Error that says what it takes. */
  parse(value: unknown): T;
  /** Writes a value for help texts. */
  format(value: T): string;
  /** The value when none is given; without it the key stays absent. */
  default: T | undefined;
};

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

export type Run = (argv: string[], options?: CommandOptions) => Promise<CommandResult>;

export type CommandOptions = {
  /** The whole environment, instead of the one that `makeRun` was given; cleaned all the same. */
  env?: Record<string, string | undefined>;
  /** Text for standard input; without it standard input is empty. */
  input?: string;
  /** Time limit in milliseconds; 60 s by default. */
  timeoutMs?: number;
  cwd?: string;
  /**
   * Whether what it has printed is all that is wanted of it: then it has succeeded, and its end is not waited for.
   * From its answer to its end sbatch takes 0.7 ms.
   */
  isAnswer?: (stdout: string) => boolean;
  /** Called with all of its standard error so far, whenever it grows: for commands that try for minutes by themselves. */
  onError?: (stderr: string) => void;
};

/** What a command left behind. `code` is 128 plus the signal's number for one that a signal ended. */
export type CommandResult = {
  code: number;
  stdout: string;
  stderr: string;
};

/** A job's request before it has an id. */
export type SpecDraft = Omit<JobSpec, "id" | "runtime">;

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
  origin: {
    job: number;
    tasks: number[];
  } | null;
};

export type Entry = CommandEntry | FunctionEntry;

/**
 * A shell-less command; each word may hold placeholders such as `{lr}` when the job has parameters. Without
 * words, each task's own are the `args` of its payload.
 */
type CommandEntry = {
  kind: "command";
  argv: string[];
};

/** A function that all tasks call. */
type FunctionEntry = FunctionCode & {
  kind: "function";
  /** Further functions of a job whose tasks call different ones; payloads name them by number, 1 for the first of these. */
  more?: FunctionCode[];
};

/** One function: where it is, and its snapshot. */
type FunctionCode = {
  /** The user's own file, absolute; of an inline function with the line it was written in, `/path/sweep.ts:12`. */
  file: string;
  export: string;
  /** sha256 of the snapshot in `code/`; null imports `file` as it is when the task runs. */
  code: string | null;
};

/** Tasks that are nothing but the numbers of an array, each its parameter `index`; empty for one task without any parameter. */
type PlainTasks = Range[];

/** Consecutive numbers, both ends included. */
type Range = [from: number, to: number];

/**
 * What a job asks for, exactly as the user gave it: an absent key was not asked for, and nothing is
 * emitted for it. Times are seconds, sizes are bytes. All figures describe one task.
 */
export type Resources = {
  /** Wall-clock limit of one task, in seconds. */
  timeSeconds?: number;
  /** Memory per node, in bytes. */
  memBytes?: number;
  /** CPUs per rank. */
  cpus?: number;
  /** GPUs per node. */
  gpus?: {
    type?: string;
    count: number;
  };
  nodes?: number;
  ranksPerNode?: number;
  /** The queue, on any scheduler that has them. */
  partition?: string;
  /** Who pays. */
  account?: string;
  qos?: string;
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
  pack: {
    tasks: number;
    slots: number;
  };
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

type Dependency = {
  job: number;
  tasks?: number[];
  kind: DependencyKind;
  /** What the scheduler knows does not decide it: it waits for their end, and the worker judges by records. */
  judged?: true;
};

/** When a job may start, seen from another job. `each`: task i after task i. */
type DependencyKind = "ok" | "any" | "fail" | "each";

/** A process of `host`: `start` tells it from a later one of the same number, `space` what its number counts. */
type Submitter = {
  pid: number;
  start: string;
  space: string;
};

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

export type Submission = {
  natives: NativeId[];
};

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

/** A job as `status`, `cancel` and the other verbs see it. */
export type JobRef = {
  id: number;
  dir: string;
  spec: JobSpec;
  natives: NativeId[];
  /** Whether an element still has tasks without a final record; nothing needs to be asked about the others. */
  isOpen?(element: number): boolean;
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
export type TaskSelection = {
  job: JobRef;
  tasks: number[] | null;
};

export type ShellCommand = {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
};

/** Defines an executor with full control over every verb; `local` and `debug` are written with it. */
export declare function defineExecutor(definition: ExecutorDefinition): Executor;

/** What a plugin author writes: an executor whose contract version and missing capabilities are filled in. */
export type ExecutorDefinition = Omit<Executor, "contract" | "capabilities" | "options" | "graceSeconds"> & {
  /** The version of the contract that it is written against; 1, the first one, where it does not say. */
  contract?: number;
  graceSeconds?: number;
  capabilities?: Partial<Capabilities>;
  options?: Executor["options"];
};

/** Makes the options of an executor, each with a description for `jobx help EXECUTOR`. */
export declare const option: {
  /** Any text. */
  string: (
    description: string,
    settings?: Defaulted<string> & {
      placeholder?: string;
    },
  ) => OptionSpec<string>;
  /** A number, within `min` and `max` and whole where `integer` says so. */
  number: (
    description: string,
    settings?: Defaulted<number> & {
      min?: number;
      max?: number;
      integer?: boolean;
    },
  ) => OptionSpec<number>;
  /** true or false; also yes, no, on, off, 1 and 0. */
  boolean: (description: string, settings?: Defaulted<boolean>) => OptionSpec<boolean>;
  /** A span of time as in `--time`; the value is in seconds. */
  duration: (description: string, settings?: Defaulted<number>) => OptionSpec<number>;
  /** A size as in `--mem`; the value is in bytes. */
  size: (description: string, settings?: Defaulted<number>) => OptionSpec<number>;
  /** Several texts: an array, or one text with commas. */
  list: (description: string, settings?: Defaulted<string[]>) => OptionSpec<string[]>;
  /** One of the words in `choices`. */
  choice: <const C extends string>(
    description: string,
    choices: readonly C[],
    settings?: Defaulted<NoInfer<C>>,
  ) => OptionSpec<C>;
};

type Defaulted<T> = {
  default?: T;
};

/** Argv as one line that a shell would read back the same. */
export declare function shellWords(argv: string[]): string;

/** Defines an executor for a scheduler that is driven by commands; `slurm` is written with it. */
export declare function defineScheduler(definition: SchedulerDefinition): SchedulerExecutor;

/**
 * A scheduler that is driven by commands, as pure functions of text: what to run, and what its answer means. The core
 * runs the commands, batches them, tries again, limits their rate, and never submits twice.
 */
export type SchedulerDefinition = {
  /** The version of the contract that it is written against; 1 where it does not say. */
  contract?: number;
  name: string;
  /** One sentence for `jobx plugins` and `jobx help`. */
  description: string;
  /** Where it has not been tried on a real scheduler: what it was written from. `jobx plugins` says so. */
  untried?: string;
  capabilities?: Partial<Capabilities>;
  options?: OptionSchema;
  /** How long a record may be late after an element has ended; 30 by default. */
  graceSeconds?: number;
  /** Commands that must be on PATH for the scheduler to be here; or a function that says so. */
  detect: string[] | Executor["affinity"];
  /** Checks a request before anything is written; throws a JobxError that names what is wrong. */
  validate?: Executor["validate"];
  /** The batch script; the same one for every array of a job. */
  script(array: NativeArray): string;
  submit: {
    argv(array: NativeArray, script: string): string[];
    /** Reads the id from what the command printed, whatever else stands there; null where there is none. */
    parse(
      stdout: string,
      array: NativeArray,
    ): {
      id: string;
      cluster: string | null;
    } | null;
    /**
     * The command prints a line with the id as the last thing that it does, so its end need not be waited for; false
     * by default, for what may print and fail all the same.
     */
    answersLast?: boolean;
  };
  /** Ways to learn what became of jobs, the cheapest first; each is asked only about what the earlier ones leave open. */
  status: StatusStage[];
  /** Why an element waits or ended, in words a person understands; null where the state says it all. */
  explain?(status: NativeStatus, job: JobRef): string | null;
  /** How many jobs are ahead of a waiting one: asked, at most once a minute, only for a person who looks at it. */
  ahead?: {
    /** Whether that is what it waits for. */
    isWhy(status: NativeStatus): boolean;
    /** A command that tells of all jobs that wait, whoever's. */
    argv: string[];
    parse(stdout: string, id: string): Ahead | null;
  };
  /** What there is to say of the scheduler on this machine for `jobx doctor`; each command once, whatever it answers. */
  examine?: {
    argv: string[];
    parse(result: CommandResult): Finding[];
  }[];
  /** Commands for all targets together: few calls, whatever their number. */
  cancel(targets: Target[]): string[][];
  hold?(targets: Target[]): string[][];
  release?(targets: Target[]): string[][];
  requeue?(targets: Target[]): string[][];
  interrupt?(targets: Target[], kind: "preempted" | "timeout"): string[][];
  /** What those commands print of a job that has ended by then, which is no failure. */
  goneErrors: RegExp[];
  limits?: {
    argv: string[];
    parse(stdout: string): Limits;
  };
  /** The queues that jobs are submitted to, with what they allow; asked only for jobs that ask for something. */
  partitions?: {
    argv: string[];
    parse(stdout: string): Partition[];
    /** The ones that a job may run in; null for the default, empty where their limits do not say what it may have. */
    chosen(spec: SpecDraft, env: Record<string, string | undefined>): string[] | null;
  };
  /** Looks for a submission of this user by its token, which `script` or `submit` has put where it can be found. */
  find?: {
    argv(uid: string, token: string): string[];
    parse(stdout: string, token: string): FoundArray[];
  };
  /** The cluster that a job is to go to, where one is named; null for this host's own. */
  cluster?(spec: SpecDraft, env: Record<string, string | undefined>): string | null;
  /** Puts into a command that it is meant for another cluster than this host's own. */
  onCluster?(argv: string[], cluster: string): string[];
  /** What a command prints of a cluster that cannot be reached from here. */
  clusterErrors?: RegExp[];
  /** Answers that are worth another try. */
  transientErrors: RegExp[];
  /** Of those, the ones after which a job may have been accepted all the same. */
  uncertainErrors?: RegExp[];
  /** What a refusal means and what to do about it; null for the scheduler's own words alone. */
  hint?(refusal: string): string | null;
  /** Variables set for every command but submit; undefined takes one away. */
  variables?: Record<string, string | undefined>;
  /** Variables of the submitter that the submit command needs even where the job's environment is clean. */
  keepVariables?: string[];
  /**
   * The job's environment is kept in its folder, for a scheduler that does not carry one whole to where the job runs;
   * the script says by `JOBX_SCHEDULER_VARIABLES` what is added there.
   */
  storesEnvironment?: boolean;
  /**
   * Jobs can wait for the end of others, not for an end of a certain kind: every kind of dependency may be told in the
   * same words, since the worker judges by records, as the script asks it to by `JOBX_JUDGE_AFTER`.
   */
  waitsForAnyEnd?: boolean;
  /** How long to wait before each further try, in milliseconds. */
  retryDelaysMs?: number[];
  /** A shell beside a running element: how to learn what that command knows the element by, and the command. */
  shell?: {
    locate(target: Target): string[];
    parse(stdout: string): string | null;
    /** `isTerminal`: a person types there; without it words come from a file or another command. */
    argv(id: string, words: string[], isTerminal: boolean): string[];
  };
  /** Reads the scheduler's variables inside a job. */
  environment(env: Record<string, string | undefined>): ElementEnvironment;
  /** The one table of the scheduler's words; `jobx plugins test` fails a plugin whose samples hold a word that it lacks. */
  states?: Record<string, NativeStatus["state"]>;
  /** What the scheduler really prints, for `jobx plugins test`. */
  samples?: Sample[];
};

/** One native array that is to be submitted: the whole job, or a part of one that is larger than the limit. */
export type NativeArray = {
  spec: JobSpec;
  /** The job's directory. */
  dir: string;
  /** Argv of the worker. */
  worker: string[];
  /** The submitter's whole environment, for the site's own defaults. */
  env: Record<string, string | undefined>;
  /** What one element asks for: what the user gave for a task, times the tasks that it runs at once. */
  resources: Resources;
  /** Elements of the job in this array, from `firstElement` on; native indices begin at 0. */
  firstElement: number;
  elements: number;
  /** Whether it is an array at all. */
  isArray: boolean;
  /** Native indices, where only some of those elements are submitted again; null for all. */
  indices: number[] | null;
  /** At most so many elements at once; null for no limit. */
  parallel: number | null;
  /** The longest time that the partition allows, in seconds, where the job asks for time and it is known; else null. */
  maxSeconds: number | null;
  /** The job's name on one line; what `status` may find a reused id by. */
  name: string;
  /** Where the scheduler writes an element's output, by the way it writes the native index into a path. */
  log(index: (width: number) => string, escape: (path: string) => string): string;
  after: NativeDependency[];
};

/** A dependency in native ids. `elements`: native indices of the first of them; null for all of them. */
export type NativeDependency = {
  kind: Dependency["kind"];
  natives: {
    native: NativeId;
    indices: number[] | null;
  }[];
};

export type StatusStage = {
  /** The command's name, for messages. */
  name: string;
  /** `user`: answers for all jobs of a user at once, whatever the ids; `ids`: for those that are named. */
  scope: "user" | "ids";
  argv(query: StatusQuery): string[][];
  /** Reads the answers, in the order of the commands. Codes are for this function to judge; it throws what stands for no answer. */
  parse(results: CommandResult[], query: StatusQuery): NativeStatus[];
};

export type StatusQuery = {
  /** Native ids, without indices. */
  ids: string[];
  /** Owners of the jobs, by user id. */
  users: string[];
  /** ISO 8601 UTC: when the oldest of them was submitted. */
  since: string;
};

/** What the scheduler says of one element, or of several of one array that are alike. */
export type NativeStatus = {
  id: string;
  /** Native indices, as in "5-1024,1030"; null for a job that is no array, or for all of it. */
  indices: string | null;
  /** `ended`: it is over, and records tell how. */
  state: Exclude<TaskState, "lost"> | "ended";
  /** The scheduler's own word. */
  native: string;
  /** The scheduler's own reason. */
  reason: string | null;
  exitCode: number | null;
  signal: number | null;
  node: string | null;
  /** ISO 8601. */
  submitted: string | null;
  /** When a waiting one is expected to start. */
  startsAt: string | null;
  /** ISO 8601. Without it, only a `jobx wait` that goes on can tell a record that is late from one that never comes. */
  endedAt: string | null;
  /** What was submitted, where the answer says so: it holds the path of the script or the token of the job, and of no other. */
  command: string | null;
  /** A later stage may know more of its end. */
  isVague: boolean;
  /** It has ended without ever starting, so no record is late; by default what was cancelled before it had a node. */
  neverStarted?: boolean;
  /** The job's name, where no command is told: the id may have been given to another submission. */
  name?: string | null;
  /** The jobs ahead of it, where somebody wants to know. */
  ahead?: Ahead;
};

/** How many jobs are ahead of a waiting one in its queue. */
export type Ahead = {
  jobs: number;
  partition: string;
};

/** Elements of one native array that a verb is about; null for all of it. */
export type Target = {
  native: NativeId;
  indices: number[] | null;
  isArray: boolean;
};

export type Limits = {
  /** The cluster that commands on this host talk to by themselves. */
  cluster: string | null;
  /** The most elements of one array; null for no limit. */
  maxArraySize: number | null;
};

/** What one queue allows a job; null where that is not limited, or not known. */
export type Partition = {
  name: string;
  isDefault: boolean;
  maxSeconds: number | null;
  /** What a job gets that asks for no time. */
  defaultSeconds: number | null;
  maxNodes: number | null;
  /** Of its largest node. */
  cpus: number | null;
  memBytes: number | null;
};

/** An array that a look-up found. */
export type FoundArray = {
  id: string;
  submitted: string;
  firstElement: number;
  elements: number;
};

/**
 * What a scheduler really printed, and what the plugin must make of it. `jobx plugins test` reads them twice: it gives
 * them to the plugin's own functions, and it has a pretended scheduler print them of its own jobs. For the latter, what
 * differs from job to job is taken from the `SampleJob`; all else stays as it was recorded.
 */
export type Sample = {
  /** The scheduler and version that it was recorded from, or the manual that shows it: "Slurm 22.05.8". */
  from: string;
} & (
  | SubmitSample
  | RowSample
  | DocumentSample
  | AnswerSample
  | ErrorSample
  | LimitsSample
  | FindSample
  | VariablesSample
);

/** What submit prints of a job that it accepted; `is` where the text is fixed, null for "no id in it". */
type SubmitSample = {
  of: "submit";
} & (
  | {
      stdout(job: SampleJob): string;
    }
  | {
      stdout: string;
      is: {
        id: string;
        cluster?: string | null;
      } | null;
    }
);

/** The job that a text is made to be about. */
export type SampleJob = {
  id: string;
  /** Native indices, from 0: one, or several side by side where a waiting array is one row; null where it is no array. */
  range: {
    first: number;
    last: number;
  } | null;
  /** The path of the script, and the words that `submit.argv` puts behind it. */
  script: string;
  arguments: string[];
  token: string;
  name: string;
  uid: string;
  user: string;
  submitted: Date;
  started: Date;
  ended: Date;
  /** The element's hosts, its own first. */
  hosts: string[];
  exitCode: number;
  /** The number of the signal that ended it; 0 for none. */
  signal: number;
  /** How often the scheduler has started it before. */
  restarts: number;
};

/**
 * What a stage of `status` prints of one element, or of several alike. The row is about the job's id and range, so `is`
 * says only the rest. One of each state that the stage tells of, for arrays and other jobs alike.
 */
type RowSample = {
  of: "row";
  stage: string;
  row(job: SampleJob): string;
  is: {
    state: NativeStatus["state"];
    native: string;
  } & Partial<NativeStatus>;
};

/** What a stage prints around its rows, where it is not just one after the other: XML, JSON, a header. */
type DocumentSample = {
  of: "document";
  stage: string;
  stdout(rows: string[]): string;
};

/** A whole answer of a stage, as it was printed; "no answer": one to throw on. */
type AnswerSample = {
  of: "status";
  stage: string;
  is: Partial<NativeStatus>[] | "no answer";
} & Partial<CommandResult>;

/**
 * What a command prints when it does not do what it was told. `transient`: worth another try; `uncertain`: that, and a
 * job may have been accepted all the same; `array`: the array is larger than the scheduler takes; `refused`: the user's
 * to mend; `gone`: a verb came too late, which is no failure.
 */
type ErrorSample = {
  of: "error";
  is: "transient" | "uncertain" | "array" | "refused" | "gone";
} & Partial<CommandResult>;

/** What `limits` reads; a function where the limit can be made another one, so that it can shrink. */
type LimitsSample = {
  of: "limits";
} & (
  | {
      stdout(limits: { cluster: string; maxArraySize: number }): string;
    }
  | {
      stdout: string;
      is: Limits;
    }
);

/** What `find` reads when the scheduler has these jobs, whoever submitted them. */
type FindSample = {
  of: "find";
} & (
  | {
      stdout(jobs: SampleJob[]): string;
    }
  | {
      stdout: string;
      token: string;
      is: FoundArray[];
    }
);

/** The variables that the scheduler sets in a job, and what `environment` reads from them besides what the job says. */
type VariablesSample = {
  of: "variables";
  variables(job: SampleJob): Record<string, string>;
  /** The text of files that it makes for a job, by the variable that names each of them. */
  files?(job: SampleJob): Record<string, string>;
  is?: Partial<ElementEnvironment>;
};

/** What `defineScheduler` makes: an executor that keeps what it was made from, for `jobx plugins test`. */
export type SchedulerExecutor = Executor & {
  scheduler: SchedulerDefinition;
};

/**
 * The lines of a script that have an MPI launcher start a task's ranks, by an option's words, in which `{ranks}` and
 * `{per-node}` stand for their numbers. None where a task has one rank, or its ranks need no launcher.
 */
export declare function mpiRankLines(launcher: unknown, resources: Resources): string[];

/** Items in groups of at most `size`, so that no command line grows too long. */
export declare function chunks<T>(items: T[], size: number): T[][];

/** A time of day for people, with the date on any other day than today: "14:05". */
export declare function clock(time: string): string;

/** A row of status of which nothing is known yet. */
export declare const NO_STATUS: Omit<NativeStatus, "id" | "indices" | "state" | "native">;

/** The jobs that a job waits for, as the subject of a sentence; null where `--after` names none. */
export declare function predecessorsOf({ spec }: JobRef): string | null;

/** A piece of a shell's word, such as an end of a path; nothing stays nothing, where `shellWords` would make a word of it. */
export declare function quoted(text: string): string;

/** Indices as few ranges, in order: "0-499", "700". */
export declare function rangesOf(indices: number[]): string[];

/** Refuses a request, for `validate` and `argv`: throws USAGE with what cannot be done, and what to do instead. */
export declare function refuse(message: string, hint: string): never;

/** The words of an option that holds a command line, with quotes as a shell has them. Throws USAGE for one that never ends. */
export declare function wordsOf(option: unknown): string[];

/**
 * Reads a span of time as seconds: `90` (minutes, as in sbatch), `1h30m`, `45s`, `2d`, `30:00` (mm:ss),
 * `1:30:00`, `1-12` (days-hours), `1-12:00` and `1-12:00:00`. Fractions are taken with units (`1.5h`).
 * Throws USAGE that shows the value and the forms.
 *
 * The forms without units are those of sbatch(1), `--time`.
 */
export declare function parseDuration(text: string): number;

/**
 * Expands a scheduler's compact host list in order: `tux[1-3,07-09],gpu-a[1]-ib` gives tux1, tux2, tux3,
 * tux07, ... gpu-a1-ib. Several brackets in one name make every combination; leading zeros set the width.
 * Throws FORMAT on text that is no host list. The reference is scontrol(1), `show hostnames`.
 */
export declare function expandHostlist(text: string): string[];

/** A state that a task never leaves by itself. */
export type FinalState = Exclude<TaskState, "queued" | "running">;

/**
 * Runs a whole job in this very process, its output on the terminal; resolves when all tasks have ended
 * and have their records. The worker's code is loaded when it is first called.
 */
export declare function runInline(request: SubmitRequest, context: ExecutorContext): Promise<Submission>;

/** Whether the process that `runInline` ran a job in is still there; true where that cannot be known. */
export declare function isInlineAlive(native: NativeId): Promise<boolean>;

/** Asks the process that `runInline` runs a job in to end what was cancelled. */
export declare function interruptInline(native: NativeId): Promise<void>;

/** What the built-in local executor does its work with; loaded when it is first called. */
export declare const localJobs: () => Promise<{
  shellInLocal: typeof shellInLocal;
  schedulerHere: typeof schedulerHere;
  checkLocal: typeof checkLocal;
  planLocal: typeof planLocal;
  submitLocal: typeof submitLocal;
  statusOfLocal: typeof statusOfLocal;
  findLocal: typeof findLocal;
  tellQueue: typeof tellQueue;
}>;

/**
 * A shell in the folder and with the environment of a task, JOBX_* variables included. It has no share in
 * the task's limits. Throws REFUSED for a job of another host or a task that is not running.
 */
declare function shellInLocal(job: JobRef, task: number): ShellCommand;

/** The command of a scheduler that makes this a host to submit from; null on others and inside an allocation. */
declare function schedulerHere(env: ExecutorContext["env"]): string | null;

/** Refuses what this machine never has room for, and says which flags mean nothing here. Throws USAGE or REFUSED. */
declare function checkLocal(spec: SpecDraft, context: ExecutorContext): void;

/** What `--dry-run` says. */
declare function planLocal(spec: SpecDraft, context: ExecutorContext): string;

/** Hands a written job to the queue, which is started when it does not run. */
declare function submitLocal(request: SubmitRequest, context: ExecutorContext): Promise<Submission>;

/**
 * What the queue says of the user's jobs of this host; a queue that died is started again, and given jobs it does
 * not know. Those of other hosts and users are judged by their queue's heartbeat.
 */
declare function statusOfLocal(jobs: JobRef[], context: ExecutorContext): Promise<ElementStatus[]>;

/** Whether the queue of this host has a submission with this token. */
declare function findLocal(token: string, context: ExecutorContext): Promise<Submission | null>;

/**
 * Tells the queue of something about running or waiting jobs. Those of other hosts and users cannot be told: what
 * stands in their folder (cancelled and held tasks) is read before each task starts.
 */
declare function tellQueue(
  selections: TaskSelection[],
  context: ExecutorContext,
  tell: (queue: QueueClient, dir: string, tasks: Tasks) => Promise<void>,
): Promise<void>;

/**
 * A connection to the queue. Every verb is one question and one answer. A queue that dies in between is
 * started again and asked again: giving it a job twice, or cancelling twice, does no harm.
 */
declare class QueueClient {
  #private;
  constructor(paths: QueuePaths, options: QueueOptions | null);
  /** Gives the queue a job; resolves when it has noted it down. */
  enqueue(request: EnqueueRequest): Promise<void>;
  /** One answer per directory, in order. */
  status(dirs: string[]): Promise<QueuedJob[]>;
  /** Call after `cancelled.msgpack` was written: a job that has not started is judged by it. */
  cancel(dir: string, tasks: Tasks): Promise<void>;
  hold(dir: string, tasks: Tasks): Promise<void>;
  release(dir: string, tasks: Tasks): Promise<void>;
  /** Throws REFUSED when the job is not running. */
  interrupt(dir: string, tasks: Tasks, kind: "preempted" | "timeout"): Promise<void>;
  info(): Promise<QueueInfo>;
  close(): void;
  /** Connects to a queue that is running; false when there is none. */
  find(): Promise<boolean>;
  /** Connects, starting the queue's process as often as it takes. */
  connect(): Promise<void>;
}

/** The files of one queue, in a folder of mode 0700 on local disk. */
type QueuePaths = {
  dir: string;
  socket: string;
  lock: string;
  journal: string;
  log: string;
};

type QueueOptions = {
  /** Decides which queue is meant, and what it counts as its machine. */
  env: Record<string, string | undefined>;
  /** Words that start this jobx, for a queue that has to be started. */
  runtime: string[];
};

/** A job as the queue is given it; the same one given twice (by its directory) counts once. */
type EnqueueRequest = {
  dir: string;
  job: number;
  name: string;
  /** Unique to the submission. */
  token: string;
  /** Argv that starts the job's supervisor. */
  worker: string[];
  shape: SlotShape;
  tasks: number;
  /** At most this many slots at once. */
  parallel: number | null;
  after: QueuedDependency[];
  /** What the user allowed, from `[local]`; null where the queue decides. The latest submission counts. */
  limits: QueueLimits;
};

/** What one task of a job occupies. `gpus` is a count; `memBytes` is 0 where none was asked for. */
type SlotShape = {
  cpus: number;
  memBytes: number;
  gpus: number;
};

/** A job that another one waits for. */
type QueuedDependency = {
  dir: string;
  job: number;
  tasks: number[] | null;
  kind: "ok" | "any" | "fail" | "each";
};

/** `gpus` counts the first so many of those there are. */
type QueueLimits = {
  cpus: number | null;
  memBytes: number | null;
  gpus: number | null;
  nice: number | null;
};

/** What the queue knows of one job. */
type QueuedJob = {
  dir: string;
  /** `ended`: it was here and is over, records and verdicts tell how; `unknown`: never heard of it. */
  state: "queued" | "running" | "ended" | "unknown";
  /** Why it waits: "waits for 4 CPUs: 2 of 2 are used by job 11". */
  reason: string | null;
  supervisor: number | null;
  slots: number;
};

/** Tasks of a job; null means all. */
type Tasks = number[] | null;

/** The capacity of the host as the queue counts it, and what is in use. */
type QueueInfo = {
  pid: number;
  host: string;
  protocol: number;
  capacity: Capacity;
  used: {
    cpus: number;
    memBytes: number;
    gpus: number;
  };
  jobs: {
    dir: string;
    job: number;
    token: string;
    state: "queued" | "running";
    slots: number;
  }[];
};

/** What the queue hands out. */
type Capacity = {
  cpus: number;
  memBytes: number;
  /** Entries of CUDA_VISIBLE_DEVICES. */
  gpus: string[];
  nice: number;
  /** Where the figures come from, for people. */
  why: string;
};

export {};
