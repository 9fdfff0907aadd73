import { JobxError } from "../errors.ts";
import type { RemoteError, StoredValue, Usage } from "../model/records.ts";
import { callFunction } from "./call-function.ts";
import { enterTask, leaveTask, onStrayError } from "./process-state.ts";
import { reasonOf, remoteErrorOf, reportError } from "./remote-error.ts";
import type { AbortKind, FunctionTask, RunnerReply } from "./runner-protocol.ts";

/** A call under way. `reply` never rejects. */
export type RunningFunction = { reply: Promise<RunnerReply>; abort(kind: AbortKind): void };

/** Memory is collected after this many graphs; without, it grows. */
const GRAPHS_PER_COLLECTION = 1000;

let graphs = 0;

/** Calls a task's function with modules, timers and sockets of its own, its output in the task's logs. */
export function runFunction(task: FunctionTask): RunningFunction {
  const controller = new AbortController();
  return {
    reply: reply(task, controller.signal),
    abort: (kind) => controller.abort(new JobxError("INTERRUPTED", ABORT_TEXT[kind])),
  };
}

const ABORT_TEXT: Record<AbortKind, string> = {
  preempted: "The task is being preempted",
  timeout: "The task's time limit is near",
};

async function reply(task: FunctionTask, signal: AbortSignal): Promise<RunnerReply> {
  const before = process.cpuUsage();
  let ended: { value: StoredValue } | { error: RemoteError };
  try {
    enterTask(task, signal);
    ended = { value: await callFunction(task, onStrayError) };
  } catch (thrown) {
    ended = { error: remoteErrorOf(thrown) };
    reportError(ended.error);
  }
  leaveTask();
  if (++graphs % GRAPHS_PER_COLLECTION === 0) Bun.gc(true);
  const usage = usageSince(before);
  if ("value" in ended) return { kind: "value", value: ended.value, usage };
  return { kind: "error", error: ended.error, reason: reasonOf(ended.error), usage };
}

function usageSince(before: NodeJS.CpuUsage): Usage {
  const { user, system } = process.cpuUsage(before);
  return {
    maxRssBytes: process.resourceUsage().maxRSS * 1024,
    maxRssIsUpperBound: true,
    userSeconds: user / 1e6,
    systemSeconds: system / 1e6,
  };
}
