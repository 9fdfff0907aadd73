import { readFile } from "node:fs/promises";

import type { JobxError } from "../errors.ts";
import { usageError } from "../errors.ts";
import { parseDuration } from "../model/durations.ts";
import { formatTaskId } from "../model/selectors.ts";
import { type Counts, isFinal, jobStateOf, noCounts, type TaskState } from "../model/states.ts";
import { failureOutput } from "../orchestrator/failure-output.ts";
import { existingLogs, logFiles } from "../orchestrator/logs.ts";
import { taskError, taskValue } from "../orchestrator/results.ts";
import { settle } from "../orchestrator/settle.ts";
import { waitInterrupted, waitTimedOut } from "../orchestrator/wait.ts";
import type { Watched } from "../orchestrator/watcher.ts";
import type { LogStream } from "../store/layout.ts";
import { checkKeys, WAIT_KEYS } from "./check-keys.ts";
import { taskErrorOf } from "./errors.ts";
import { show } from "./given.ts";
import type { Scope } from "./scope.ts";
import { watch } from "./watch.ts";

export type WaitOptions = {
  /** Gives up with WaitTimeoutError after this long; the jobs go on. Seconds, or a text with units such as "5m". */
  timeout?: number | string;
  /** Gives up when it is aborted, rejecting with its reason; the jobs go on. */
  signal?: AbortSignal;
};

/** Waits until everything in the scopes has ended. Throws WAIT_TIMEOUT, or the signal's reason. */
export async function waitForAll(scopes: readonly Scope[], options: WaitOptions = {}): Promise<void> {
  checkKeys("wait()", options, WAIT_KEYS);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw usageError(`signal is ${show(signal)}`, "Give an AbortSignal: AbortSignal.timeout(5000)");
  signal?.throwIfAborted();
  const outcome = await watch(scopes.map(watchedOf), {
    timeoutSeconds: secondsOf(options.timeout),
    signal,
  });
  if (outcome !== "ended") throw whyNotEnded(outcome, scopes, options);
}

/** What a wait that gave up is told by. */
export function whyNotEnded(
  outcome: "timeout" | "aborted",
  scopes: readonly Scope[],
  { timeout, signal }: WaitOptions,
): unknown {
  const names = scopes.map((scope) => scope.selector);
  if (outcome === "timeout") return waitTimedOut(names, secondsOf(timeout) ?? 0);
  return signal?.reason ?? waitInterrupted(names);
}

/** A scope as the watcher looks at it. */
export function watchedOf({ files, reader, tasks }: Scope): Watched {
  return { services: files.session.services, reader, tasks };
}

/** `timeout` in seconds. Throws USAGE. */
export function secondsOf(timeout: number | string | undefined): number | undefined {
  if (timeout === undefined) return undefined;
  if (typeof timeout === "number" && timeout >= 0) return timeout;
  if (typeof timeout === "string" && /[a-z]/i.test(timeout)) return parseDuration(timeout);
  throw usageError(
    `timeout is ${JSON.stringify(timeout)}`,
    'Give a number of seconds, or a text with a unit: "90s", "5m"',
  );
}

/** Reads what is new and asks the executor about what has not ended. */
export async function look({ files, reader }: Scope): Promise<void> {
  reader.refresh();
  await settle(files.session.services, [reader]);
}

/** How many tasks of the scope are in each state, as they were last looked at. */
export function countsOf(scope: Scope): Counts {
  const { reader, tasks, rank } = scope;
  if (tasks === null) return reader.counts;
  const counts = noCounts();
  for (const index of tasks) counts[stateOf(scope, index, rank)]++;
  return counts;
}

/** The state of what a scope stands for, as it was last looked at. */
export function stateOfScope(scope: Scope): TaskState {
  return jobStateOf(countsOf(scope));
}

/** Whether the records say that all of it has ended: no executor is asked. */
export function hasEnded({ reader, tasks }: Scope): boolean {
  return reader.isFinal || (tasks?.every((index) => isFinal(reader.recordedState(index))) ?? false);
}

/** The values of an ended scope: one per task, or of one task with several ranks one per rank. Throws the first failure. */
export function valuesOf(scope: Scope): unknown[] {
  const { indices, rank, ranks } = scope;
  const [only] = indices;
  if (indices.length === 1 && only !== undefined && rank === null && ranks > 1) {
    return Array.from({ length: ranks }, (_, each) => valueOf(scope, only, each));
  }
  return indices.map((index) => valueOf(scope, index, rank));
}

/** The value of one ended task; of several ranks an array. */
export function valueOf(scope: Scope, index: number, rank: number | null): unknown {
  const failure = errorOf(scope, index, rank);
  if (failure) throw failure;
  return taskValue(scope.reader, index, rank);
}

/** Why an ended task has no value; null where it succeeded. */
export function errorOf(scope: Scope, index: number, rank: number | null): JobxError | null {
  const { reader } = scope;
  const task = reader.task(index);
  const own = task.ranks.find((each) => each.rank === rank);
  // A rank that succeeded has its value, whatever became of the others.
  if ((own ?? task).state === "succeeded") return null;
  const told = own && isFinal(own.state) ? { ...task, state: own.state, ranks: [own] } : task;
  const selector =
    reader.spec.tasks === 1 && rank === null ? String(reader.id) : formatTaskId(reader.id, index, rank);
  return taskErrorOf(taskError(reader, told), {
    selector,
    logTail: failureOutput(reader, told).said.join("\n"),
  });
}

/** What a stream has so far; of several tasks and ranks in their order. */
export async function logText({ reader, tasks, rank }: Scope, stream: LogStream): Promise<string> {
  const files = existingLogs(logFiles(reader, tasks, rank, [stream]));
  const texts = await Promise.all(files.map(({ path }) => readFile(path, "utf8")));
  return texts.join("");
}

function stateOf({ reader }: Scope, index: number, rank: number | null): TaskState {
  const task = reader.task(index);
  return task.ranks.find((each) => each.rank === rank)?.state ?? task.state;
}
