import { readlinkSync } from "node:fs";
import { hostname } from "node:os";

import type { JobSpec, Submitter } from "../model/job.ts";
import { startOf } from "../queue/proc.ts";

/** This process as the one that submits; null where there is no `/proc`. */
export function ownSubmitter(): Submitter | null {
  const start = startOf(process.pid);
  const space = pidSpace();
  return start === null || space === null ? null : { pid: process.pid, start, space };
}

/** Whether the process that submitted a job is gone for certain: it was one of this host, and numbered as ours are. */
export function isSubmitterGone({ host, submitter }: JobSpec): boolean {
  if (!submitter || host !== hostname() || submitter.space !== pidSpace()) return false;
  return startOf(submitter.pid) !== submitter.start;
}

/** Which processes a pid counts: a container has numbers of its own, and may have the host's name. */
function pidSpace(): string | null {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return null;
  }
}
