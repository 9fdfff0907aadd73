/** The public door: what `import { ... } from "jobx"` gives. */
export { asCompleted } from "./client/as-completed.ts";
export type { Batch, BatchOptions } from "./client/batch.ts";
export {
  type Call,
  type Callable,
  call,
  type Command,
  type CommandOptions,
  command,
  type Sequence,
  sequence,
  type ValueOf,
  type Work,
} from "./client/calls.ts";
export {
  JobCancelledError,
  JobFailedError,
  JobLostError,
  JobTimeoutError,
  PayloadError,
  SubmissionError,
  TaskError,
  WaitTimeoutError,
} from "./client/errors.ts";
export { createExecutor, type Executor } from "./client/executor.ts";
export type { Asked, Handle } from "./client/handle.ts";
export type { RetryOptions } from "./client/retry.ts";
export type { JobInfo, RankInfo, TaskInfo } from "./client/info.ts";
export { monitor, type MonitorOptions, type MonitorStream } from "./client/monitor.ts";
export { type AnyHandle, Job, type JobPaths, Rank, Task, type TaskPaths } from "./client/job.ts";
export type {
  After,
  ExecutorOptions,
  ExecutorTables,
  OptionTable,
  Predecessor,
  ResourceOptions,
} from "./client/options.ts";
export type { WaitOptions } from "./client/outcome.ts";
export type { SessionOptions } from "./client/session.ts";
export type { Submission, SubmittedCall } from "./client/submission.ts";
export { type Bound, bind } from "./code/bind.ts";
export { type ErrorCode, JobxError } from "./errors.ts";
export type { Counts, TaskState } from "./model/states.ts";
export { type JobContext, jobContext } from "./worker/context.ts";
export { type Distributed, distributed } from "./worker/distributed.ts";
export { type Again, again, defineTask, type Task as DefinedTask, type TaskContext } from "./worker/task.ts";
export { InterruptedError } from "./worker/warning.ts";
