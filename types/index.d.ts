// Made by scripts/types from the sources; changes made here are lost.

/**
 * Gives handles in the order in which they end, whatever the end: the tasks of one job, or the jobs and tasks of
 * a list as they are. Throws WaitTimeoutError where `timeout` passes before the last one, or the signal's reason.
 */
export declare function asCompleted<T>(job: Job<T>, options?: WaitOptions): AsyncGenerator<Task<T>>;
export declare function asCompleted<H extends Handle>(
  handles: H | Iterable<H>,
  options?: WaitOptions,
): AsyncGenerator<H>;

/** A submitted job of one task or many. Its values are of type `T`. */
export declare class Job<T = unknown> extends Handle<T> {
  #private;
  /** Its number within its home. */
  get id(): number;
  get name(): string;
  /** The name of the executor that runs it. */
  get executor(): string;
  /** The ids that the scheduler gave. */
  get nativeIds(): string[];
  /** How many tasks it has. */
  get length(): number;
  /** Its tasks in order. */
  get tasks(): readonly Task<T>[];
  /** Its tasks in order: `for (const task of job)`. */
  [Symbol.iterator](): Iterator<Task<T>>;
  /** One of its tasks, by its index. Throws NOT_FOUND. */
  task(index: number): Task<T>;
  get paths(): JobPaths;
  /** What is known of it now. */
  info(): Promise<JobInfo>;
  /** What was submitted: its only task's command, or function and arguments. Throws USAGE for several tasks. */
  submission(): Promise<Submission>;
  /** Submits it again as a new job: the same code and arguments, the given resources replaced. */
  retry(options?: RetryOptions): Promise<Job<T>>;
  /**
   * Finds a job again, from any process at any time: by its id, `"last"`, or a native id (`"slurm:4211"`). A task or
   * rank is found as such (`"12.3"`, `"12.3:1"`), several tasks as a job of these (`"12.0-9"`). Throws NOT_FOUND.
   */
  static attach<T = unknown>(selector: `${bigint}.${bigint}`, options?: SessionOptions): Promise<Task<T>>;
  static attach<T = unknown>(
    selector: `${bigint}.${bigint}:${bigint}`,
    options?: SessionOptions,
  ): Promise<Rank<T>>;
  static attach<T = unknown>(
    selector: number | `${bigint}` | "last",
    options?: SessionOptions,
  ): Promise<Job<T>>;
  static attach<T = unknown>(selector: string | number, options?: SessionOptions): Promise<AnyHandle<T>>;
}

/**
 * What a job, a task and a rank have in common. Whatever waits keeps the process alive; the handle itself does
 * not, and the job goes on without it. `await using` cancels it when the scope ends.
 */
declare abstract class Handle<T = unknown> {
  #private;
  /** A job's number, `"12.3"` of a task, `"12.3:1"` of a rank. */
  abstract readonly id: number | string;
  protected constructor();
  /** As it would be typed after `jobx status`. */
  get selector(): string;
  /** The state as it is now: records first, then the executor is asked. */
  state(): Promise<TaskState>;
  /** Whether it has ended, whatever the end. */
  done(): Promise<boolean>;
  /** Waits for the end, whatever it is. Throws WaitTimeoutError or the signal's reason; the job goes on. */
  wait(options?: WaitOptions): Promise<this>;
  /**
   * Waits for the one value. Throws JobFailedError, JobLostError, JobCancelledError or JobTimeoutError where there
   * is none, and USAGE for several tasks or ranks: they have `results()`.
   */
  result(options?: WaitOptions): Promise<T>;
  /**
   * Waits for all values: one per task; of a single task with several ranks one per rank; of several such tasks
   * an array for each, as `results<T[]>()` says. Throws the error of the first that has none.
   */
  results(options?: WaitOptions): Promise<T[]>;
  results<V>(options?: WaitOptions): Promise<V[]>;
  /** Waits for the end, and gives why it did not succeed: of several tasks the first one; null where all succeeded. */
  exception(options?: WaitOptions): Promise<JobxError | null>;
  /** What was printed so far. */
  stdout(): Promise<string>;
  /** What was printed so far to standard error; empty with `mergeOutput`. */
  stderr(): Promise<string>;
  /** Cancels what has not ended. */
  cancel(): Promise<Asked>;
  /** Keeps what waits from starting. */
  hold(): Promise<Asked>;
  /** Lets what is held start. */
  release(): Promise<Asked>;
  /** Sends what runs the warning that comes before a preemption, or a time limit, to try out checkpointing. */
  interrupt(options?: { timeout?: boolean }): Promise<Asked>;
  /** Its id, as `Job.attach` takes it. */
  toString(): string;
  /** Its id, as `Job.attach` takes it. */
  toJSON(): number | string;
  protected constructor();
  /**
   * What `await using` calls at the end of its scope, however that is left: cancels what has not ended. A script that
   * Ctrl-C or a kill ends leaves no scope, so its jobs go on.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * The states of a task. `queued -> running -> succeeded | failed | cancelled | timeout | lost`;
 * a preempted, requeued or retried task goes back to `queued` with the next attempt.
 */
export type TaskState = "queued" | "running" | "succeeded" | "failed" | "cancelled" | "timeout" | "lost";

export type WaitOptions = {
  /** Gives up with WaitTimeoutError after this long; the jobs go on. Seconds, or a text with units such as "5m". */
  timeout?: number | string;
  /** Gives up when it is aborted, rejecting with its reason; the jobs go on. */
  signal?: AbortSignal;
};

/**
 * The one error class of jobx. `message` says what is wrong with the value shown, in sentence case and
 * without a full stop; `hint` says what to do next; `cause` keeps the original.
 */
export declare class JobxError extends Error {
  /** Written out, since the binary has shorter class names. */
  static readonly name: string;
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  constructor(
    code: ErrorCode,
    message: string,
    options?: {
      hint?: string;
      cause?: unknown;
    },
  );
  get exitCode(): number;
}

/** Why something went wrong, as one word that programs can switch on. */
export type ErrorCode =
  | "USAGE"
  | "REFUSED"
  | "UNREACHABLE"
  | "NOT_FOUND"
  | "WAIT_TIMEOUT"
  | "JOB_FAILED"
  | "JOB_LOST"
  | "JOB_CANCELLED"
  | "JOB_TIMEOUT"
  | "PAYLOAD"
  | "DAMAGED"
  | "FORMAT"
  | "STORAGE"
  | "PLUGIN"
  | "INTERRUPTED"
  | "BUG";

/** How many tasks a verb was about, how many it passed over or found ended. */
export type Asked = Omit<Control, "id">;

/**
 * What a verb came to in one job: how many tasks it was asked for, how many it passed over because it means
 * nothing to them (a running one cannot be held), and how many had already ended.
 */
type Control = {
  id: number;
  asked: number;
  passedOver: number;
  alreadyFinal: number;
};

/** One task of a job. */
export declare class Task<T = unknown> extends Handle<T> {
  /** As it would be typed: `"12.3"`. */
  get id(): string;
  /** Its place in the job, from 0. */
  get index(): number;
  get job(): Job<T>;
  /** Its ranks in order; mostly one. */
  get ranks(): readonly Rank<T>[];
  /** One of its ranks. Throws NOT_FOUND. */
  rank(rank: number): Rank<T>;
  get paths(): TaskPaths;
  /** What is known of it now. */
  info(): Promise<TaskInfo>;
  /** What was submitted: its command, or function and arguments. */
  submission(): Promise<Submission>;
  /** Submits it again as a new job of one task. */
  retry(options?: RetryOptions): Promise<Job<T>>;
}

/** One process of a task that has several. */
export declare class Rank<T = unknown> extends Handle<T> {
  /** As it would be typed: `"12.3:1"`. */
  get id(): string;
  get rank(): number;
  get task(): Task<T>;
  get paths(): TaskPaths;
  /** What is known of it now. */
  info(): Promise<RankInfo>;
}

/** Where a task or rank keeps what belongs to it. The files exist once it has begun. */
export type TaskPaths = {
  dir: string;
  stdout: string;
  stderr: string;
  /** Lasts across its attempts. */
  checkpoint: string;
};

/** What is known of a rank. */
export type RankInfo = Omit<RankView, "result"> & {
  endedAt: string | null;
  exitCode: number | null;
  signal: string | null;
  /** Why it did not succeed. */
  reason: string | null;
};

/** What is known of one rank of a task; `task-fold.ts` derives it from records. */
type RankView = {
  rank: number;
  state: TaskState;
  attempt: number;
  node: string | null;
  startedAt: string | null;
  /** The final record, where there is one. */
  result: ResultRecord | null;
};

/** The end of an attempt that is not run again: success and failure have one shape. */
type ResultRecord = {
  kind: "result";
  task: number;
  rank: number;
  attempt: number;
  status: FinalState;
  value: StoredValue | null;
  error: RemoteError | null;
  exitCode: number | null;
  /** "SIGKILL" and its like. */
  signal: string | null;
  /** Something a person can act on; null on success. */
  reason: string | null;
  node: string;
  startedAt: string;
  endedAt: string;
  usage: Usage | null;
};

/** A state that a task never leaves by itself. */
type FinalState = Exclude<TaskState, "queued" | "running">;

/** Where a value stands: in the record, or in a file of its own when it is large. */
type StoredValue =
  | {
      kind: "inline";
      value: unknown;
    }
  | {
      kind: "file";
      name: string;
      bytes: number;
    };

/** An error that user code threw, as plain data. */
type RemoteError = {
  name: string;
  message: string;
  /** Frames in the user's own files and lines. */
  stack: string | null;
  cause: unknown;
  /** The error's own enumerable fields. */
  fields: Record<string, unknown>;
};

/** What a process used. Bytes and seconds. */
type Usage = {
  maxRssBytes: number;
  /** True where the kernel's figure can only be an upper bound: very short commands, functions in a shared runner. */
  maxRssIsUpperBound: boolean;
  userSeconds: number;
  systemSeconds: number;
};

/** What is known of a task: as `jobx status --tasks --json` has it. */
export type TaskInfo = Omit<TaskView, "ranks">;

/** What is known of one task, from records first and from the executor second. */
type TaskView = {
  index: number;
  state: TaskState;
  attempt: number;
  exitCode: number | null;
  signal: string | null;
  /** Why it waits, or why it did not succeed: something a person can act on. */
  reason: string | null;
  /** The scheduler's own word, e.g. "OUT_OF_MEMORY". */
  native: string | null;
  node: string | null;
  startedAt: string | null;
  endedAt: string | null;
  seconds: number | null;
  maxRssBytes: number | null;
  ranks: RankView[];
};

/** What a task was asked to do. */
export type Submission =
  | SubmittedCall
  | {
      kind: "sequence";
      steps: SubmittedCall[];
    }
  | {
      kind: "command";
      words: string[];
      params: Record<string, unknown> | null;
    };

/** A call as it was submitted: the file and export of its function, its arguments. */
export type SubmittedCall = {
  kind: "function";
  file: string;
  export: string;
  /** The hash of its snapshot; null where the live file is imported. */
  code: string | null;
  /** The row of a sweep included, as the last one. */
  args: unknown[];
};

export type RetryOptions = ResourceOptions & {
  /** Only tasks that ended without success. */
  failed?: boolean;
  /** Go on from what its tasks have saved, instead of from the beginning. Throws NOT_FOUND where none has saved anything. */
  resume?: boolean;
};

/** What one task needs. What is left out is not asked for. */
export interface ResourceOptions {
  /** Wall-clock limit of one task: minutes, or a text such as "90", "1h30m", "45s", "1-12:00:00". */
  time?: string | number;
  /** Memory per node: bytes, or a text such as "512M", "4G". */
  mem?: string | number;
  /** CPUs per rank. */
  cpus?: number;
  /** GPUs per node: 2, or "a100:2". */
  gpus?: string | number;
  /** Nodes per task. */
  nodes?: number;
  /** Ranks (processes) per node. */
  ranksPerNode?: number;
  /** The queue, on any scheduler that has them. */
  partition?: string;
  /** Who pays. */
  account?: string;
  qos?: string;
}

/** Where a job keeps what belongs to it. */
export type JobPaths = {
  dir: string;
  /** The folder of the logs of its tasks. */
  logs: string;
  /** The folder of the checkpoints of its tasks. */
  checkpoints: string;
};

/** What is known of a job. Times are ISO 8601 UTC; null where they have not come. */
export type JobInfo = {
  id: number;
  name: string;
  executor: string;
  nativeIds: string[];
  state: TaskState;
  /** How many tasks are in each state. */
  counts: Counts;
  tasks: number;
  /** Why it waits; null where it does not. */
  reason: string | null;
  created: string;
  startedAt: string | null;
  endedAt: string | null;
  /** From the start of the first task to the end of the last one, or until now. */
  seconds: number | null;
  cwd: string;
  user: string;
  host: string;
  /** What was asked for: seconds, bytes. */
  resources: Resources;
  options: Record<string, unknown>;
  /** The job and tasks that this one retries. */
  origin: {
    job: number;
    tasks: number[];
  } | null;
};

/** How many tasks of a job are in each state. */
export type Counts = Record<TaskState, number>;

/**
 * What a job asks for, exactly as the user gave it: an absent key was not asked for, and nothing is
 * emitted for it. Times are seconds, sizes are bytes. All figures describe one task.
 */
type Resources = {
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

export type SessionOptions = Pick<ExecutorOptions, (typeof SESSION_OPTIONS)[number]>;

/**
 * How an executor submits. Each option but `name`, `after`, `inspect` and `onNote` can also stand in the
 * configuration, and is then the default: configuration files < profile < `JOBX_*` variables < these.
 */
export interface ExecutorOptions extends ResourceOptions, ExecutorTables {
  /** slurm, local, debug, a plugin's name, or auto: the best one available (default). */
  executor?: "auto" | "slurm" | "local" | "debug" | (string & {});
  /** The folder that holds everything; `~/.jobx` by default. */
  home?: string;
  /** A profile of the configuration: its `[profile.NAME]`. */
  profile?: string;
  /** Whether the home's group may read what is written. */
  shared?: boolean;
  /** Words that start jobx where jobs run on other hosts; this very jobx by default. */
  runtime?: string | string[];
  /** Named after the function or command by default. */
  name?: string;
  /** Start after other jobs. */
  after?: After | After[];
  /** At most this many tasks at once. */
  parallel?: number;
  /** Tasks per element of the scheduler: 8, "8/2" or `{ tasks: 8, slots: 2 }` (2 of them at once). 1 by default. */
  pack?:
    | number
    | string
    | {
        tasks: number;
        slots?: number;
      };
  /** How much argument data a submission may carry: bytes, or a text such as "4G". 1 GiB by default. */
  maxPayload?: string | number;
  /** Run a failed task again, up to this often; 0 by default. */
  retries?: number;
  /** Requeue after a timeout, up to this often, when the task can resume; 3 by default. */
  maxTimeouts?: number;
  /** true: run again from the start after preemption, timeout or loss; false: never. By default only what can resume. */
  requeue?: boolean;
  /** Warn a task this long before its limit: minutes, or a text such as "90s" (default). */
  signalDelay?: string | number;
  /** false imports the live file when the task runs; `include` adds files that it reads at run time. true by default. */
  snapshot?:
    | boolean
    | {
        include?: string[];
        exclude?: string[];
      };
  /** Commands: keep standard output as the result value; `command()` has its own, true by default. */
  capture?: boolean;
  /** Commands: put before the command inside the job, as one line or as words. */
  launcher?: string | string[];
  /** The folder to run in; the current one by default. */
  cwd?: string;
  /** Variables to set. */
  env?: Record<string, string | number | boolean>;
  /** A file of NAME=VALUE lines; `env` wins. */
  envFile?: string;
  /** Pass only HOME, USER, PATH, LANG and TERM. */
  cleanEnv?: boolean;
  /** bash lines to run before. */
  setup?: string | string[];
  /** bash lines to run after. */
  teardown?: string | string[];
  /** Set MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE. */
  distributed?: boolean;
  /** Standard error goes where standard output goes. */
  mergeOutput?: boolean;
  /** Debug executor: wait for a debugger. */
  inspect?: boolean;
  /** Called with what jobx has to say beside errors; a process warning by default. */
  onNote?: (text: string) => void;
}

/**
 * Options that count on one executor alone. A plugin's types add its own table:
 * `declare module "jobx" { interface ExecutorTables { mysite?: { queue?: string } } }`.
 */
export interface ExecutorTables {
  /** As `-o slurm.KEY=VALUE`: `{ constraint: "a100", "srun-args": "--mpi=pmix" }`. */
  slurm?: OptionTable;
  /** As `-o local.KEY=VALUE`: `{ cpus: 4 }`. */
  local?: OptionTable;
  debug?: OptionTable;
}

/** Options of one executor; `jobx help EXECUTOR` lists them. */
export type OptionTable = Record<string, TableValue>;

/** An option of one executor: a text as on the command line, or the value itself. */
type TableValue = string | number | boolean | string[] | undefined;

/** `ok` (default): it succeeded; `any`: it ended; `fail`: it did not succeed; `each`: task i after task i. */
export type After =
  | Predecessor
  | {
      job: Predecessor;
      kind: "ok" | "any" | "fail" | "each";
    };

/** What a job can wait for: a job or some of its tasks, by handle, id or selector (`12`, `"12.0-9"`, `"last"`). */
export type Predecessor =
  | {
      selector: string;
    }
  | string
  | number;

/** The options that say which home and configuration are meant; the others are about a submission. */
declare const SESSION_OPTIONS: readonly ["home", "profile", "shared", "runtime", "onNote"];

/** What `attach` finds. */
export type AnyHandle<T = unknown> = Job<T> | Task<T> | Rank<T>;

/** What the body of `executor.batch` is given. */
declare class Batch {
  #private;
  protected constructor();
  /** Adds a task to the batch's job. Its handle can be used once the batch has been submitted. */
  submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Task<Awaited<R>>;
  submit<R>(work: Work<R>): Task<R>;
  submit<R = unknown>(reference: string, ...args: unknown[]): Task<R>;
}

/**
 * What a job can call: a function that a module exports, an inline one, or what `defineTask` made. Its
 * arguments and its value are data: see "Values" in the manual.
 */
export type Callable<A extends unknown[], R> = ((...args: A) => R) | DefinedTask<A, R>;

/** A function that keeps a state across its attempts. It is called without `ctx`. */
export type DefinedTask<Args extends unknown[] = unknown[], R = unknown> = {
  readonly [TASK]: true;
  run(ctx: TaskContext<any>, ...args: Args): R | Promise<R>;
  checkpoint?(ctx: TaskContext<any>): unknown;
};

/** The mark of what `defineTask` makes: registered, so that it is known whichever copy of jobx made it. */
declare const TASK: unique symbol;

/**
 * What `run` and `checkpoint` of a task are given: the job's context, and the task's own state. Its type is
 * taken from the annotation, `run(ctx: TaskContext<{ epoch: number }>)`; without one the state is not checked.
 */
export type TaskContext<State = any> = JobContext & {
  /** The last saved state; null where there is none. The same on every rank. */
  readonly restored: State | null;
  /**
   * Keeps a state for the next attempt in place of the last one: whole or not at all, durable once the promise
   * resolves. The state is copied before `save` returns. Only rank 0 saves; on others this does nothing.
   * Rejects with PAYLOAD for what cannot be stored and STORAGE where the disk refuses; the last state then stays.
   */
  save(state: State): Promise<void>;
};

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

/** Anything that one task can be. */
export type Work<R = unknown> = Call<R> | Command<R> | Sequence<R>;

/** A function and its arguments, to be called in a job. */
export type Call<R = unknown> = {
  readonly kind: typeof CALL;
  readonly fn: unknown;
  readonly args: readonly unknown[];
  /** Carries the type of its value; never there. */
  readonly [VALUE]?: R;
};

declare const CALL: unique symbol;

declare const VALUE: unique symbol;

/** A command to be run in a job; its value is its trimmed output, or null with `capture: false`. */
export type Command<R = string> = {
  readonly kind: typeof COMMAND;
  readonly words: readonly string[];
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  /** null: true, unless the executor says otherwise. */
  readonly capture: boolean | null;
  readonly [VALUE]?: R;
};

declare const COMMAND: unique symbol;

/** Calls that one task makes one after the other; its value is the array of theirs. */
export type Sequence<R = unknown[]> = {
  readonly kind: typeof SEQUENCE;
  readonly calls: readonly Call[];
  readonly [VALUE]?: R;
};

declare const SEQUENCE: unique symbol;

export type BatchOptions = {
  /** Submit what is there when a handle is waited for or asked inside the batch, instead of refusing that. */
  implicit?: boolean;
};

/** A call for `submitAll`, `sequence` and the like: `call(train, { lr: 0.1 })`, or `call("train.ts#train", …)`. */
export declare function call<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Call<Awaited<R>>;
export declare function call<R = unknown>(reference: string, ...args: unknown[]): Call<R>;

export type CommandOptions = {
  /** The folder to run in; the executor's by default. */
  cwd?: string;
  /** Variables set on top of the executor's. */
  env?: Record<string, string | number | boolean>;
  /** Keep the output as the value; true by default. */
  capture?: boolean;
};

/** A command, word by word, without a shell: `command(["python", "train.py", "--lr", "0.1"])`. */
export declare function command(
  words: readonly string[],
  options?: CommandOptions & {
    capture?: true;
  },
): Command;
export declare function command(words: readonly string[], options: CommandOptions): Command<string | null>;

/**
 * Calls that one task makes in this order: `sequence([call(prepare, 1), call(fit)])`. Its value is the array
 * of their values. Steps that have finished are not made again after a requeue.
 */
export declare function sequence<const C extends readonly Call[]>(
  calls: C,
): Sequence<{
  -readonly [I in keyof C]: ValueOf<C[I]>;
}>;

/** The value that some work gives. */
export type ValueOf<W> = W extends {
  readonly [VALUE]?: infer R;
}
  ? R
  : never;

/** The task was cancelled. */
export declare class JobCancelledError extends TaskError {
  static readonly name: string;
}

/** A task that did not succeed, with what is known of it. */
export declare class TaskError extends JobxError {
  static readonly name: string;
  /** As it would be typed: `12`, `12.3` or `12.3:1`. */
  readonly selector: string;
  /** The last lines that the task printed; empty where it printed nothing. */
  readonly logTail: string;
  constructor(
    code: ErrorCode,
    message: string,
    details: Details & {
      selector: string;
      logTail: string;
    },
  );
}

type Details = ConstructorParameters<typeof JobxError>[2];

/** The task failed. `cause` is what its function threw: name, message, stack in its own files, own fields. */
export declare class JobFailedError extends TaskError {
  static readonly name: string;
}

/** The task ended without a record: its node died, or its scheduler has forgotten it. */
export declare class JobLostError extends TaskError {
  static readonly name: string;
}

/** The task ran into its time limit. */
export declare class JobTimeoutError extends TaskError {
  static readonly name: string;
}

/** A value that cannot be stored, named by its path, or that is too large. */
export declare class PayloadError extends JobxError {
  static readonly name: string;
}

/** The executor or its scheduler refused, or could not be reached. */
export declare class SubmissionError extends JobxError {
  static readonly name: string;
}

/** `timeout` passed while waiting; the jobs go on. */
export declare class WaitTimeoutError extends JobxError {
  static readonly name: string;
}

/**
 * Makes an executor: what submits jobs, with the options that they shall have. The configuration is read once,
 * here: files < profile < `JOBX_*` variables < these options. Throws USAGE that names every wrong option.
 */
export declare function createExecutor(options?: ExecutorOptions): Promise<Executor>;

/** Submits jobs. It has no connection and nothing to close: what it submitted goes on without it. */
declare class Executor {
  #private;
  protected constructor();
  /** The folder that holds its jobs. */
  get home(): string;
  /** The options it was made with, those of `with` included. */
  get options(): Readonly<ExecutorOptions>;
  /**
   * A new executor with some options replaced, this one unchanged. Variables of `env` and executors' tables are
   * merged; an option that is undefined is as in the configuration. Throws USAGE that names every wrong option.
   */
  with(options: ExecutorOptions): Executor;
  /** Submits a job of one task: a function and its arguments, `"file.ts#name"`, a command or a sequence. */
  submit<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Promise<Job<Awaited<R>>>;
  submit<R>(work: Work<R>): Promise<Job<R>>;
  submit<R = unknown>(reference: string, ...args: unknown[]): Promise<Job<R>>;
  /**
   * Submits one job with a task for each element: `map(f, [1, 2])` calls `f(1)` and `f(2)`. Further iterables give
   * further arguments; all must have the same length, and at least one element, else it throws USAGE.
   */
  map<A extends unknown[], R>(
    fn: Callable<A, R>,
    ...iterables: {
      [I in keyof A]: Iterable<A[I]>;
    }
  ): Promise<Job<Awaited<R>>>;
  map<R = unknown>(reference: string, ...iterables: Iterable<unknown>[]): Promise<Job<R>>;
  /** Submits one job with a task for each call, command or sequence: `submitAll([call(f, 1), call(g)])`. */
  submitAll<const W extends readonly Work[]>(works: W): Promise<Job<ValueOf<W[number]>>>;
  /**
   * Collects what is submitted in `body` and submits it as one job when that ends; gives what `body` gives. The
   * handles can be used after it: before, they throw USAGE, or with `implicit: true` what is there is submitted
   * then. A throw submits nothing.
   */
  batch<R>(body: (batch: Batch) => R | Promise<R>, options?: BatchOptions): Promise<R>;
  /** What `submit` would do, as text: the request, the script and commands of the scheduler. Nothing is written. */
  plan<A extends unknown[], R>(fn: Callable<A, R>, ...args: A): Promise<string>;
  plan(what: Work | string, ...args: unknown[]): Promise<string>;
  /** Finds a job of this home again, as `Job.attach` does. */
  attach<T = unknown>(selector: string | number): Promise<AnyHandle<T>>;
  protected constructor();
}

/**
 * Shows how jobs go on until all have ended, whatever the end: a live table on a terminal, lines in a log. Throws
 * WaitTimeoutError or the signal's reason; the jobs go on.
 */
export declare function monitor(handles: Handle | Iterable<Handle>, options?: MonitorOptions): Promise<void>;

export type MonitorOptions = WaitOptions & {
  /** Standard error by default. A terminal gets a live table, anything else lines. */
  stream?: MonitorStream;
};

/** Where progress is shown: `process.stderr` and its like. */
export type MonitorStream = {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string): unknown;
};

/** An inline function with values for names that its text uses; called here, it is the function itself. */
export type Bound<A extends unknown[], R> = ((...args: A) => R) & {
  readonly [BOUND]: Binding;
};

/** Shared by all copies of jobx in a process. */
declare const BOUND: unique symbol;

type Binding = {
  fn: unknown;
  values: Record<string, unknown>;
};

/**
 * Gives an inline function the values of names that it uses from around it: `submit(bind((x) => x * k, { k }), 2)`.
 * The values are stored with its code, as data. Throws USAGE for what is no function, PAYLOAD for a value that cannot
 * be stored, by its path (`bind.k is a function`).
 */
export declare function bind<A extends unknown[], R>(
  fn: (...args: A) => R,
  values: Record<string, unknown>,
): Bound<A, R>;

/**
 * The job that this code runs in; in a command of a job it is read from the `JOBX_*` variables.
 * Throws USAGE outside of a job.
 */
export declare function jobContext(): JobContext;

/** What libraries such as torch.distributed need to know of one rank. */
export type Distributed = {
  /** Host of rank 0, as the other ranks can reach it. */
  masterAddr: string;
  /** The same on all ranks; differs between tasks and attempts. */
  masterPort: number;
  rank: number;
  worldSize: number;
  localRank: number;
  /** Ranks on this node. */
  localWorldSize: number;
};

/**
 * Says where this rank stands among its task's, and sets MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, LOCAL_RANK and
 * LOCAL_WORLD_SIZE in `process.env` for what the function loads or starts. With the option `distributed` they are
 * set from the start, for commands too. Throws USAGE outside of a job.
 */
export declare function distributed(): Distributed;

/** The wish to be run again with other arguments. */
export type Again<Args extends unknown[] = unknown[]> = {
  readonly [AGAIN]: true;
  readonly args: Args;
};

declare const AGAIN: unique symbol;

/** From `checkpoint`: run again, with these arguments instead of those that the task was submitted with. */
export declare function again<Args extends unknown[]>(...args: Args): Again<Args>;

/** Makes a task of a function that saves its state, and goes on from it when it is run again. */
export declare function defineTask<Args extends unknown[], R, State = any>(
  functions: TaskFunctions<Args, R, State>,
): DefinedTask<Args, R>;

type TaskFunctions<Args extends unknown[], R, State> = {
  run(ctx: TaskContext<State>, ...args: Args): R | Promise<R>;
  /**
   * Asked on rank 0 when the task is preempted or its time limit is near, while `run` waits for something. Once
   * its answer is stored, the task is ended, unless it looks at `ctx.signal`: then it has 5 s to leave by itself.
   */
  checkpoint?(
    ctx: TaskContext<State>,
  ): CheckpointAnswer<State, Args> | Promise<CheckpointAnswer<State, Args>>;
};

/** What `checkpoint` may answer: a state to save, null not to be run again, `again(...)`, or nothing to add to the last save. */
type CheckpointAnswer<State, Args extends unknown[]> = State | Again<Args> | null | undefined | void;

/** Why `ctx.signal` was aborted: `kind` is "preempted", or "timeout" where the time limit is near. */
export declare class InterruptedError extends JobxError {
  static readonly name: string;
  readonly kind: AbortKind;
  constructor(kind: AbortKind, message?: string, cause?: unknown);
}

/** Why a task is asked to leave. */
type AbortKind = "preempted" | "timeout";

export type { Handle, Batch, Executor };

export {};
