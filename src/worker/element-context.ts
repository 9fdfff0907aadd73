import type { JobSpec } from "../model/job.ts";
import { readEnvironment } from "../store/jobs.ts";
import { openPayload, type TaskPayloads } from "../store/task-payloads.ts";
import { Alarms } from "./alarms.ts";
import type { Allocation } from "./element.ts";
import { elementEnvironment } from "./environment.ts";
import { Family } from "./processes.ts";
import type { Recorder } from "./recorder.ts";
import type { RunnerPool } from "./runner-pool.ts";
import { Sampler } from "./sampler.ts";
import { Spares } from "./spares.ts";

/** What all attempts of one supervisor share. */
export type ElementContext = {
  dir: string;
  spec: JobSpec;
  payload: TaskPayloads;
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

/** Made once the element knows its place and has somewhere to record; `closeContext` is its end. */
export async function makeContext(
  dir: string,
  spec: JobSpec,
  place: { node: string; ranks: number; recorder: Recorder; allocation: Allocation | null },
): Promise<ElementContext> {
  const alarms = new Alarms();
  const family = new Family();
  const environment = elementEnvironment(spec, readEnvironment(dir), process.env);
  return {
    dir,
    spec,
    payload: openPayload(dir, spec),
    ...place,
    environment,
    cwd: spec.cwd,
    alarms,
    family,
    sampler: new Sampler(alarms),
    spares: new Spares(dir, spec.tasks),
    runners: spec.entry.kind === "function" ? await makeRunners(spec, environment, family) : null,
  };
}

/** Ends what the tasks share, and whatever of them still runs. */
export async function closeContext({ alarms, payload, runners, family }: ElementContext): Promise<void> {
  alarms.clear();
  payload.close();
  await runners?.close();
  family.end();
}

/** Loaded here, so that a command's supervisor stays small. */
async function makeRunners(spec: JobSpec, env: Record<string, string>, family: Family) {
  if (spec.entry.kind !== "function") return null;
  const { RunnerPool } = await import("./runner-pool.ts");
  return new RunnerPool({ runtime: spec.runtime, env, family }, spec.entry);
}
