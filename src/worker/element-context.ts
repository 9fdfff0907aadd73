import type { JobSpec } from "../model/job.ts";
import type { PayloadFile } from "../store/payload.ts";
import type { Alarms } from "./alarms.ts";
import type { Allocation } from "./element.ts";
import type { Family } from "./processes.ts";
import type { Recorder } from "./recorder.ts";
import type { RunnerPool } from "./runner-pool.ts";
import type { Sampler } from "./sampler.ts";
import type { Spares } from "./spares.ts";

/** What all attempts of one supervisor share. */
export type ElementContext = {
  dir: string;
  spec: JobSpec;
  payload: PayloadFile;
  /** Host name. */
  node: string;
  /** Processes per task. */
  ranks: number;
  /** The scheduler's allocation that the element runs in; null without a scheduler. */
  allocation: Allocation | null;
  /** What every task starts with: the submitter's environment, with what the setup lines made of it. */
  environment: Record<string, string>;
  cwd: string;
  recorder: Recorder;
  alarms: Alarms;
  family: Family;
  sampler: Sampler;
  spares: Spares;
  /** Runners by slot, for functions; null for commands, which never load that code. */
  runners: RunnerPool | null;
};
