import type { Dependency, JobSpec, NativeId } from "../../model/job.ts";
import type { Resources } from "../../model/resources.ts";
import type { TaskState } from "../../model/states.ts";
import type { Capabilities, ElementEnvironment, Executor, Finding, JobRef, SpecDraft } from "../contract.ts";
import type { OptionSchema } from "../options.ts";
import type { CommandResult } from "../run.ts";
import type { Sample } from "./samples.ts";

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
    parse(stdout: string, array: NativeArray): { id: string; cluster: string | null } | null;
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
  examine?: { argv: string[]; parse(result: CommandResult): Finding[] }[];

  /** Commands for all targets together: few calls, whatever their number. */
  cancel(targets: Target[]): string[][];
  hold?(targets: Target[]): string[][];
  release?(targets: Target[]): string[][];
  requeue?(targets: Target[]): string[][];
  interrupt?(targets: Target[], kind: "preempted" | "timeout"): string[][];
  /** What those commands print of a job that has ended by then, which is no failure. */
  goneErrors: RegExp[];

  limits?: { argv: string[]; parse(stdout: string): Limits };
  /** The queues that jobs are submitted to, with what they allow; asked only for jobs that ask for something. */
  partitions?: {
    argv: string[];
    parse(stdout: string): Partition[];
    /** The ones that a job may run in; null for the default, empty where their limits do not say what it may have. */
    chosen(spec: SpecDraft, env: Record<string, string | undefined>): string[] | null;
  };
  /** Looks for a submission of this user by its token, which `script` or `submit` has put where it can be found. */
  find?: { argv(uid: string, token: string): string[]; parse(stdout: string, token: string): FoundArray[] };
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
