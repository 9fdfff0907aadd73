import type { ElementEnvironment } from "../contract.ts";
import type { CommandResult } from "../run.ts";
import type { FoundArray, Limits, NativeStatus } from "./native.ts";

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

/** The job that a text is made to be about. */
export type SampleJob = {
  id: string;
  /** Native indices, from 0: one, or several side by side where a waiting array is one row; null where it is no array. */
  range: { first: number; last: number } | null;
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

/** What submit prints of a job that it accepted; `is` where the text is fixed, null for "no id in it". */
export type SubmitSample = { of: "submit" } & (
  { stdout(job: SampleJob): string } | { stdout: string; is: { id: string; cluster?: string | null } | null }
);

/**
 * What a stage of `status` prints of one element, or of several alike. The row is about the job's id and range, so `is`
 * says only the rest. One of each state that the stage tells of, for arrays and other jobs alike.
 */
export type RowSample = {
  of: "row";
  stage: string;
  row(job: SampleJob): string;
  is: { state: NativeStatus["state"]; native: string } & Partial<NativeStatus>;
};

/** What a stage prints around its rows, where it is not just one after the other: XML, JSON, a header. */
export type DocumentSample = { of: "document"; stage: string; stdout(rows: string[]): string };

/** A whole answer of a stage, as it was printed; "no answer": one to throw on. */
export type AnswerSample = {
  of: "status";
  stage: string;
  is: Partial<NativeStatus>[] | "no answer";
} & Partial<CommandResult>;

/**
 * What a command prints when it does not do what it was told. `transient`: worth another try; `uncertain`: that, and a
 * job may have been accepted all the same; `array`: the array is larger than the scheduler takes; `refused`: the user's
 * to mend; `gone`: a verb came too late, which is no failure.
 */
export type ErrorSample = {
  of: "error";
  is: "transient" | "uncertain" | "array" | "refused" | "gone";
} & Partial<CommandResult>;

/** What `limits` reads; a function where the limit can be made another one, so that it can shrink. */
export type LimitsSample = { of: "limits" } & (
  { stdout(limits: { cluster: string; maxArraySize: number }): string } | { stdout: string; is: Limits }
);

/** What `find` reads when the scheduler has these jobs, whoever submitted them. */
export type FindSample = { of: "find" } & (
  { stdout(jobs: SampleJob[]): string } | { stdout: string; token: string; is: FoundArray[] }
);

/** The variables that the scheduler sets in a job, and what `environment` reads from them besides what the job says. */
export type VariablesSample = {
  of: "variables";
  variables(job: SampleJob): Record<string, string>;
  /** The text of files that it makes for a job, by the variable that names each of them. */
  files?(job: SampleJob): Record<string, string>;
  is?: Partial<ElementEnvironment>;
};
