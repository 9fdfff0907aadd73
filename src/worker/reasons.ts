import type { RunOptions } from "../model/job.ts";
import type { StateMark } from "../store/task-state.ts";
import { AGAIN_EXIT_CODE, type Cause } from "./policy.ts";
import type { RankEnd } from "./rank.ts";

/** Why a rank did not succeed, in words a person can act on. */
export function reasonOf(end: RankEnd, cause: Cause | null, causeReason: string | null): string {
  if (cause !== null && causeReason !== null) return causeReason;
  if (end.reason !== null) return end.reason;
  if (end.signal !== null) return `killed by ${end.signal}${hintFor(end.signal)}`;
  if (end.exitCode === null) return "ended without an exit code";
  return `exit code ${end.exitCode}`;
}

/** Of a command that asked for another run and did not get it. */
export function refusedAgainReason({ requeue, maxTimeouts }: RunOptions): string {
  const why =
    requeue === false ? "--no-requeue forbids it" : `--max-timeouts ${maxTimeouts} allows no further one`;
  return `exit code ${AGAIN_EXIT_CODE} asks for another run, and ${why}`;
}

export function timeoutReason(limitSeconds: number): string {
  return `reached its time limit of ${seconds(Number(limitSeconds.toFixed(1)))}; retry with a longer --time`;
}

/** The words of a memory limit, with what to ask for next. */
export function memoryReason(node: string, usedBytes: number, limitBytes: number): string {
  const [unit, name] = limitBytes >= GIB ? [GIB, "GiB"] : [MIB, "MiB"];
  const figure = (bytes: number): string => (bytes / unit).toFixed(1);
  return `OUT_OF_MEMORY on ${node}: used ${figure(usedBytes)} of ${figure(limitBytes)} ${name}; retry with --mem ${advised(limitBytes)}`;
}

/** Of a function that a warning does not reach. */
export function blockedReason(kind: "preempted" | "timeout"): string {
  const what = kind === "preempted" ? "preempted" : "its time limit is near";
  return `${what}, but the function blocks its event loop and could not be asked for its state`;
}

/** The same where the kernel or the scheduler has killed it, and nobody tells how much it used. */
export function killedForMemory(node: string, limitBytes: number | null): string {
  const more = limitBytes === null ? "more --mem" : `--mem ${advised(limitBytes)}`;
  return `OUT_OF_MEMORY on ${node}; retry with ${more}`;
}

/** Of a function whose process ended under it. */
export function diedReason(exitCode: number | null, signal: string | null, memBytes: number | null): string {
  const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}${hintFor(signal)}`;
  const isAdvised = signal === "SIGKILL" && memBytes !== null;
  const advice = isAdvised ? `; if it was memory, retry with --mem ${advised(memBytes)}` : "";
  return `the function's process ended ${how} before the function returned${advice}`;
}

export function siblingReason(rank: number, end: RankEnd): string {
  return `ended because rank ${rank} failed (${reasonOf(end, null, null)})`;
}

/** Where an attempt goes on from, for logs and reasons: "from the state saved at 2026-03-01T12:03:04Z by attempt 0". */
export function describeState({ attempt, savedAt, saved, args, done }: StateMark): string {
  const what = saved ? "state" : args ? "arguments" : `${done.length} finished steps`;
  const steps = done.length > 0 && (saved || args) ? ` of step ${done.length + 1}` : "";
  return `from the ${what}${steps} saved at ${savedAt.replace(/\.\d+Z$/, "Z")} by attempt ${attempt}`;
}

/** Twice as much, in whole units. */
function advised(limitBytes: number): string {
  const twice = limitBytes * 2;
  return twice >= GIB ? `${Math.ceil(twice / GIB)}G` : `${Math.ceil(twice / MIB)}M`;
}

function hintFor(signal: string): string {
  return signal === "SIGKILL" ? " (by the kernel for want of memory, or by somebody)" : "";
}

function seconds(count: number): string {
  if (count % 3600 === 0) return `${count / 3600}h`;
  if (count % 60 === 0) return `${count / 60}m`;
  return `${count}s`;
}

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
