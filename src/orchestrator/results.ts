import { existsSync } from "node:fs";

import { type ErrorCode, JobxError } from "../errors.ts";
import type { RemoteError, ResultRecord } from "../model/records.ts";
import type { TaskState } from "../model/states.ts";
import type { RankView, TaskView } from "../model/task-view.ts";
import { holdsCheckpoint } from "../store/checkpoints.ts";
import { checkpointDir, logPath } from "../store/layout.ts";
import { reviveError } from "../store/remote-error.ts";
import { loadValue } from "../store/values.ts";
import type { JobView } from "./view.ts";

/** Where tasks are looked up: a view, or a reader as it stands. */
export type TaskSource = Pick<JobView, "id" | "dir" | "spec" | "task">;

/**
 * The value of one task: of its one rank, of the rank named, or an array with one per rank. Throws
 * JOB_FAILED, JOB_LOST, JOB_CANCELLED or JOB_TIMEOUT with the remote error as `cause`, or
 * NOT_FOUND while it has not ended.
 */
export function taskValue(view: TaskSource, index: number, rank: number | null): unknown {
  const task = view.task(index);
  if (rank === null && task.state !== "succeeded") throw taskError(view, task);
  const ranks = rank === null ? task.ranks : task.ranks.filter((one) => one.rank === rank);
  const values = ranks.map((one) => rankValue(view, task, one));
  return values.length === 1 ? values[0] : values;
}

/** Why a task has no value, as an error whose `cause` is what the task threw. */
export function taskError(view: TaskSource, task: TaskView): JobxError {
  const record = failedRank(task)?.result ?? null;
  const remote = record?.error ?? null;
  const reason = remote
    ? `${remote.name}: ${remote.message}`
    : (task.reason ?? task.native ?? "no reason is known");
  const what = sentence(subjectOf(view, task), task.state);
  return new JobxError(codeOf(task.state), reason === task.state ? what : `${what}: ${reason}`, {
    hint: hintFor(view, task),
    cause: remote ? reviveError(remote) : undefined,
  });
}

/** The rank that a task's failure is told by: the first one that did not succeed, which has its own reason. */
export function failedRank(task: TaskView): RankView | null {
  const ended = task.ranks.filter((rank) => rank.result !== null && rank.state !== "succeeded");
  return (
    ended.find((rank) => rank.result?.error) ??
    ended.find((rank) => rank.state === task.state) ??
    ended[0] ??
    null
  );
}

/** The remote error of a task that has one. */
export function remoteErrorOf(task: TaskView): RemoteError | null {
  return failedRank(task)?.result?.error ?? null;
}

/** `12.3`, or `12` for a job's only task. */
export function nameOf(view: TaskSource, task: TaskView): string {
  return view.spec.tasks === 1 ? `${view.id}` : `${view.id}.${task.index}`;
}

/** "Task 12.3", or "Job 12" where it has only one task. */
function subjectOf(view: TaskSource, task: TaskView): string {
  return `${view.spec.tasks === 1 ? "Job" : "Task"} ${nameOf(view, task)}`;
}

function rankValue(view: TaskSource, task: TaskView, rank: RankView): unknown {
  const record: ResultRecord | null = rank.result;
  if (!record || record.status !== "succeeded")
    throw taskError(view, { ...task, state: rank.state, ranks: [rank] });
  return record.value === null ? null : loadValue(view.dir, record.value);
}

function codeOf(state: TaskState): ErrorCode {
  switch (state) {
    case "failed":
      return "JOB_FAILED";
    case "timeout":
      return "JOB_TIMEOUT";
    case "cancelled":
      return "JOB_CANCELLED";
    case "lost":
      return "JOB_LOST";
    case "queued":
    case "running":
    case "succeeded":
      return "NOT_FOUND";
  }
}

function sentence(subject: string, state: TaskState): string {
  switch (state) {
    case "failed":
      return `${subject} failed`;
    case "timeout":
      return `${subject} ran out of time`;
    case "cancelled":
      return `${subject} was cancelled`;
    case "lost":
      return `${subject} was lost`;
    case "queued":
      return `${subject} has no result yet, it waits`;
    case "running":
      return `${subject} has no result yet, it runs`;
    case "succeeded":
      return `${subject} succeeded without a value`;
  }
}

function hintFor(view: TaskSource, task: TaskView): string {
  const name = nameOf(view, task);
  if (task.state === "queued" || task.state === "running") return `Wait for it: jobx wait ${name}`;
  const log = logPath(view.dir, view.spec.tasks, task.index, failedRank(task)?.rank ?? 0, "err");
  // Cancelled before it began.
  if (task.state === "cancelled" && !existsSync(log)) return `Run it again: jobx retry ${name}`;
  return `See its output: jobx logs ${name}; run it again: ${retryCommand(view, task)}`;
}

/** What runs a task again: on from what it has saved, where it has. */
export function retryCommand(view: TaskSource, task: TaskView): string {
  const saved = holdsCheckpoint(checkpointDir(view.dir, view.spec.tasks, task.index));
  return `jobx retry ${nameOf(view, task)}${saved ? " --resume" : ""}`;
}
