import type { Dependency, JobSpec, NativeId } from "../../model/job.ts";
import type { Resources } from "../../model/resources.ts";
import { TASK_STATES, type TaskState } from "../../model/states.ts";
import type { CommandResult } from "../run.ts";

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
  natives: { native: NativeId; indices: number[] | null }[];
};

export type StatusQuery = {
  /** Native ids, without indices. */
  ids: string[];
  /** Owners of the jobs, by user id. */
  users: string[];
  /** ISO 8601 UTC: when the oldest of them was submitted. */
  since: string;
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
export type Ahead = { jobs: number; partition: string };

/** Elements of one native array that a verb is about; null for all of it. */
export type Target = { native: NativeId; indices: number[] | null; isArray: boolean };

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
export type FoundArray = { id: string; submitted: string; firstElement: number; elements: number };

/** Whether a value is a state that a scheduler may report. */
export function isNativeState(value: unknown): value is NativeStatus["state"] {
  return STATES.includes(value);
}

const STATES: unknown[] = [...TASK_STATES.filter((state) => state !== "lost"), "ended"];
