import type { Entry } from "./entry.ts";
import { explainWait } from "./explain.ts";
import type { Line } from "./line.ts";
import { QUEUE_PROTOCOL, type QueuedJob, type QueueInfo } from "./protocol.ts";

type Entries = ReadonlyMap<string, Entry>;

/** How a job of the queue stands, with why it waits. */
export function statusOf(entry: Entry, entries: Entries, line: Line): QueuedJob {
  const { dir } = entry.request;
  const slots = line.heldBy(dir).length;
  const supervisor = entry.supervisor?.pid ?? null;
  if (isRunning(entry, slots)) return { dir, state: "running", reason: null, supervisor, slots };
  return { dir, state: "queued", reason: whyQueued(entry, entries, line), supervisor, slots };
}

/** What this process's queue has, and what of it is in use. */
export function infoOf(entries: Entries, line: Line, host: string): QueueInfo {
  const jobs = [...entries.values()].map((entry) => {
    const { dir, job, token } = entry.request;
    const slots = line.heldBy(dir).length;
    const state = isRunning(entry, slots) ? ("running" as const) : ("queued" as const);
    return { dir, job, token, state, slots };
  });
  return {
    pid: process.pid,
    host,
    protocol: QUEUE_PROTOCOL,
    capacity: line.capacity,
    used: line.used,
    jobs,
  };
}

function isRunning(entry: Entry, slots: number): boolean {
  return entry.supervisor !== null && slots > 0;
}

function whyQueued(entry: Entry, entries: Entries, line: Line): string | null {
  if (entry.held) return "held; jobx release lets it start";
  if (entry.waitsFor !== null) return entry.waitsFor;
  if (entry.pause !== null) return entry.pause;
  if (line.heldBy(entry.request.dir).length > 0) return "is being started";
  const holders = line.holders.flatMap((dir) => {
    const job = entries.get(dir)?.request.job;
    return job === undefined ? [] : [{ job, slots: line.heldBy(dir).length }];
  });
  return explainWait(entry.request.shape, line.capacity, line.used, holders);
}
