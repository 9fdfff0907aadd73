import type { ExecutorContext, Submission, SubmitRequest } from "./executor/contract.ts";
import type { NativeId } from "./model/job.ts";

/** The public door for plugin authors: what `import { ... } from "jobx/plugin"` gives. */
export { type ErrorCode, JobxError } from "./errors.ts";
export type {
  Affinity,
  Capabilities,
  ElementEnvironment,
  ElementStatus,
  Executor,
  ExecutorContext,
  Finding,
  JobRef,
  ShellCommand,
  SpecDraft,
  Submission,
  SubmitRequest,
  TaskSelection,
} from "./executor/contract.ts";
export { defineExecutor, type ExecutorDefinition } from "./executor/define.ts";
export { option, type OptionSchema, type OptionSpec } from "./executor/options.ts";
export { type CommandOptions, type CommandResult, type Run, shellWords } from "./executor/run.ts";
export { defineScheduler } from "./executor/scheduler/define.ts";
export { mpiRankLines } from "./executor/scheduler/mpi.ts";
export type { SchedulerDefinition, SchedulerExecutor } from "./executor/scheduler/definition.ts";
export type {
  Ahead,
  FoundArray,
  Limits,
  NativeArray,
  NativeDependency,
  NativeStatus,
  Partition,
  StatusQuery,
  StatusStage,
  Target,
} from "./executor/scheduler/native.ts";
export type { Sample, SampleJob } from "./executor/scheduler/samples.ts";
export {
  chunks,
  clock,
  NO_STATUS,
  predecessorsOf,
  quoted,
  rangesOf,
  refuse,
  wordsOf,
} from "./executor/scheduler/texts.ts";
export { parseDuration } from "./model/durations.ts";
export { expandHostlist } from "./model/hostlist.ts";
export type { Entry, JobSpec, NativeId, RunOptions } from "./model/job.ts";
export type { Resources } from "./model/resources.ts";
export type { FinalState, TaskState } from "./model/states.ts";

/**
 * Runs a whole job in this very process, its output on the terminal; resolves when all tasks have ended
 * and have their records. The worker's code is loaded when it is first called.
 */
export async function runInline(request: SubmitRequest, context: ExecutorContext): Promise<Submission> {
  const inline = await import("./worker/inline.ts");
  return inline.runInline(request, context);
}

const inlineNative = () => import("./worker/inline-native.ts");

/** Whether the process that `runInline` ran a job in is still there; true where that cannot be known. */
export async function isInlineAlive(native: NativeId): Promise<boolean> {
  return (await inlineNative()).isInlineAlive(native);
}

/** Asks the process that `runInline` runs a job in to end what was cancelled. */
export async function interruptInline(native: NativeId): Promise<void> {
  return (await inlineNative()).interruptInline(native);
}

/** What the built-in local executor does its work with; loaded when it is first called. */
export const localJobs = () => import("./queue/local.ts");
