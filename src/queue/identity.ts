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
  // Environments need not be UTF-8, and are read with one character per byte.
  const marker = Buffer.from(dir).toString("latin1");
  for (const pid of allProcesses()) {
    const environment = environmentOf(pid);
    if (environment.get("JOBX_DIR") !== marker || environment.get("JOBX_SHELL") === "1") continue;
    if (kill(pid)) killed++;
  }
  return killed;
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, "SIGKILL");
    return true;
  } catch {
    return false;
  }
}
