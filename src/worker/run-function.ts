import { messageOf } from "../errors.ts";
import type { RemoteError, StoredValue, Usage } from "../model/records.ts";
import { callFunction } from "./call-function.ts";
import { withArguments } from "./large-payload.ts";
import { markAttempt } from "./logs.ts";
import { enterTask, leaveTask, onStrayError } from "./process-state.ts";
import { reasonOf, remoteErrorOf, reportError } from "./remote-error.ts";
import type { FunctionTask, RunnerReply } from "./runner-protocol.ts";
import { Warning } from "./warning.ts";

/** A call under way. `reply` never rejects. */
export type RunningFunction = { reply: Promise<RunnerReply>; warning: Warning };

/** Memory is collected after this many graphs; without, it grows. */
const GRAPHS_PER_COLLECTION = 1000;

let graphs = 0;

/** Calls a task's function with modules, timers and sockets of its own, its output in the task's logs. */
export function runFunction(task: FunctionTask): RunningFunction {
  const warning = new Warning();
  return { reply: reply(task, warning), warning };
}

async function reply(task: FunctionTask, warning: Warning): Promise<RunnerReply> {
  const before = process.cpuUsage();
  let ended: { value: StoredValue } | { error: RemoteError };
  try {
    enterTask(task, warning);
    const note = (text: string) => markAttempt({ out: 1, err: task.err === task.out ? 1 : 2 }, text);
    warning.onGiven(({ message }) => note(`${message}: it is asked to leave`));
    ended = { value: await callFunction(withArguments(task), { listen: onStrayError, warning, note }) };
  } catch (thrown) {
    ended = { error: remoteErrorOf(thrown) };
    reportError(ended.error);
  }
  leaveTask();
  if (++graphs % GRAPHS_PER_COLLECTION === 0) Bun.gc(true);
  const usage = usageSince(before);
  if ("value" in ended) return { kind: "value", value: ended.value, usage };
  const { refused, abandoned } = warning;
  return { kind: "error", error: ended.error, reason: reasonOf(ended.error), usage, refused, abandoned };
}

/** What is said in place of a reply that cannot be sent, since its value changes each time it is looked at. */
export function unsentReply(reply: RunnerReply, why: unknown): RunnerReply {
  const message = `The result cannot be stored: ${messageOf(why)}`.toWellFormed();
  const error = { name: "JobxError", message, stack: null, cause: null, fields: {} };
  const { refused, abandoned } = reply.kind === "error" ? reply : { refused: false, abandoned: false };
  return { kind: "error", error, reason: reasonOf(error), usage: reply.usage, refused, abandoned };
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
