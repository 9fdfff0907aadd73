import type { Capabilities, ElementEnvironment, Executor, Finding, JobRef, SpecDraft } from "../contract.ts";
import type { OptionSchema } from "../options.ts";
import type { CommandResult } from "../run.ts";
import type {
  Ahead,
  FoundArray,
  Limits,
  NativeArray,
  NativeStatus,
  Partition,
  StatusStage,
  Target,
} from "./native.ts";
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

/** What `defineScheduler` makes: an executor that keeps what it was made from, for `jobx plugins test`. */
export type SchedulerExecutor = Executor & { scheduler: SchedulerDefinition };

/** What an executor was made from; null for one that `defineScheduler` did not make. */
export function schedulerOf(executor: Executor | SchedulerExecutor): SchedulerDefinition | null {
  return "scheduler" in executor ? executor.scheduler : null;
}
