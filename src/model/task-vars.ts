/** What a task's variables are made of. */
export type TaskVariablesInput = {
  job: number;
  task: number;
  rank: number;
  attempt: number;
  /** How many tasks the job has. */
  tasks: number;
  params: Record<string, unknown> | null;
  /** The job's directory. */
  dir: string;
  checkpointDir: string;
  /** The file for parameters that are too long for a variable. */
  paramsFile: string;
  /** The file whose JSON becomes a command's value. */
  resultFile: string;
  /** Set where the job was submitted with `--array`: the task's index there. */
  arrayIndex?: number | null;
  /** Set where the job asked for `--distributed`. */
  distributed?: DistributedPlace | null;
  /** What `jobContext()` tells of where the task runs; left out where nobody knows. */
  place?: TaskPlace | null;
};

/** Where a rank runs, as `jobContext()` tells it. */
export type TaskPlace = {
  executor: string;
  /** Host name of this rank. */
  node: string;
  /** Host names of all the task's nodes. */
  hostnames: string[];
  /** Ranks of the task, on all nodes. */
  ranks: number;
  localRank: number;
};

/** Where a rank stands among the ranks of its task. */
export type DistributedPlace = {
  /** Host of rank 0, as the others can reach it. */
  masterAddr: string;
  masterPort: number;
  worldSize: number;
  localRank: number;
  /** Ranks on this node. */
  localWorldSize: number;
};

/** The longest word or variable that Linux starts a program with, in bytes with the NUL at its end (execve(2), MAX_ARG_STRLEN). */
export const LONGEST_WORD = 128 * 1024;

/**
 * The variables that every task sees: JOBX_JOB, JOBX_TASK, JOBX_RANK, JOBX_ATTEMPT, JOBX_NUM_TASKS,
 * JOBX_PARAMS (JSON, `{}` without parameters; above 128 KiB JOBX_PARAMS_FILE names the file for it), JOBX_DIR, JOBX_CHECKPOINT_DIR and
 * JOBX_RESULT; JOBX_EXECUTOR, JOBX_NODE, JOBX_HOSTNAMES (by comma), JOBX_NUM_NODES, JOBX_NUM_RANKS and
 * JOBX_LOCAL_RANK where the place is known; SLURM_ARRAY_TASK_ID for arrays; MASTER_ADDR, MASTER_PORT,
 * RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE for distributed jobs.
 */
export function taskVariables(input: TaskVariablesInput): Record<string, string> {
  const variables: Record<string, string> = {
    JOBX_JOB: String(input.job),
    JOBX_TASK: String(input.task),
    JOBX_RANK: String(input.rank),
    JOBX_ATTEMPT: String(input.attempt),
    JOBX_NUM_TASKS: String(input.tasks),
    JOBX_DIR: input.dir,
    JOBX_CHECKPOINT_DIR: input.checkpointDir,
    JOBX_RESULT: input.resultFile,
  };
  const params = JSON.stringify(input.params ?? {});
  if (Buffer.byteLength(`JOBX_PARAMS=${params}`) < LONGEST_WORD) variables.JOBX_PARAMS = params;
  else variables.JOBX_PARAMS_FILE = input.paramsFile;
  if (typeof input.arrayIndex === "number") variables.SLURM_ARRAY_TASK_ID = String(input.arrayIndex);
  if (input.place) {
    variables.JOBX_EXECUTOR = input.place.executor;
    variables.JOBX_NODE = input.place.node;
    variables.JOBX_HOSTNAMES = input.place.hostnames.join(",");
    variables.JOBX_NUM_NODES = String(input.place.hostnames.length);
    variables.JOBX_NUM_RANKS = String(input.place.ranks);
    variables.JOBX_LOCAL_RANK = String(input.place.localRank);
  }
  if (input.distributed) {
    variables.MASTER_ADDR = input.distributed.masterAddr;
    variables.MASTER_PORT = String(input.distributed.masterPort);
    variables.RANK = String(input.rank);
    variables.WORLD_SIZE = String(input.distributed.worldSize);
    variables.LOCAL_RANK = String(input.distributed.localRank);
    variables.LOCAL_WORLD_SIZE = String(input.distributed.localWorldSize);
  }
  return variables;
}

/**
 * A port for MASTER_PORT that every rank works out alike, and that differs between tasks and attempts:
 * 20000 to 31999, below the range from which Linux hands out ports by itself.
 */
export function masterPort(token: string, task: number, attempt: number): number {
  return 20_000 + (Bun.hash.crc32(`${token}.${task}.${attempt}`) % 12_000);
}
