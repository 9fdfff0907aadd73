import { basename } from "node:path";

import { placeOf } from "../store/files.ts";
import { allProcesses, environmentOf, startOf } from "./proc.ts";

/** Whether the process that had this start (`startOf`) lives; where there is no `/proc`, whether any has its pid. */
export function lives(pid: number, start: string | null): boolean {
  if (process.platform === "linux") return start !== null && startOf(pid) === start;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Kills what a dead supervisor of the job left behind: every process that carries the job's marker
 * `JOBX_DIR` in its environment, but for shells that the user opened there. Returns how many there were.
 */
export function killLeftovers(dir: string): number {
  let killed = 0;
  for (const pid of allProcesses()) {
    const environment = environmentOf(pid);
    if (!hasMarker(environment, dir) || environment.get("JOBX_SHELL") === "1") continue;
    if (kill(pid)) killed++;
  }
  return killed;
}

/** Whether a process was started for a task of this job, by the environment it was started with. */
export function hasMarker(environment: Map<string, string>, dir: string): boolean {
  const marker = environment.get("JOBX_DIR");
  if (marker === undefined) return false;
  // Environments need not be UTF-8, and are read with one character per byte.
  const marked = Buffer.from(marker, "latin1").toString();
  return marked === dir || (basename(marked) === basename(dir) && placeOf(marked) === placeOf(dir));
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
