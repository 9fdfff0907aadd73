/** An option of one executor: a text as on the command line, or the value itself. */
export type TableValue = string | number | boolean | string[] | undefined;
/** Options of one executor; `jobx help EXECUTOR` lists them. */
export type OptionTable = Record<string, TableValue>;

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

/** What a job can wait for: a job or some of its tasks, by handle, id or selector (`12`, `"12.0-9"`, `"last"`). */
export type Predecessor = { selector: string } | string | number;

/** `ok` (default): it succeeded; `any`: it ended; `fail`: it did not succeed; `each`: task i after task i. */
export type After = Predecessor | { job: Predecessor; kind: "ok" | "any" | "fail" | "each" };

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
  pack?: number | string | { tasks: number; slots?: number };
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
  snapshot?: boolean | { include?: string[]; exclude?: string[] };
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
