import { hostname } from "node:os";

import { errnoOf, JobxError } from "../errors.ts";
import type { NativeId } from "../model/job.ts";
import { startOf } from "../queue/proc.ts";

/** This process as the native job of what runs in it; its start time tells it from a later process of the same number. */
export function ownNativeId(): NativeId {
  const start = startTicks(process.pid);
  return {
    id: start === null ? String(process.pid) : `${process.pid}-${start}`,
    cluster: hostname(),
    submitted: new Date().toISOString(),
    firstElement: 0,
    elements: 1,
  };
}

/** Whether the process that a job ran in, on this host, is still there; true where that cannot be known. */
export function isInlineAlive(native: NativeId): boolean {
  if (native.cluster !== hostname()) return true;
  const { pid, start } = parseId(native.id);
  return isAlive(pid) && (start === null || startTicks(pid) === start);
}

/** Asks the process that a job runs in to look at what was cancelled, and to end it. */
export function interruptInline(native: NativeId): void {
  if (native.cluster !== hostname()) {
    throw new JobxError("UNREACHABLE", `The job runs on ${native.cluster}, inside a jobx there`, {
      hint: `Cancel it from ${native.cluster}, or press Ctrl-C in its terminal`,
    });
  }
  if (isInlineAlive(native)) process.kill(parseId(native.id).pid, "SIGTERM");
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}

function parseId(id: string): { pid: number; start: string | null } {
  const [pid, start] = id.split("-");
  return { pid: Number(pid), start: start ?? null };
}

function startTicks(pid: number): string | null {
  return startOf(pid)?.split(":").at(-1) ?? null;
}
