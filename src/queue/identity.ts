import { readdirSync, readFileSync } from "node:fs";

/**
 * Which process a pid means: the kernel's start time, in ticks since boot, so that a reused pid is not
 * mistaken for it. Null when there is no such process, when it has ended and waits to be reaped, or
 * without `/proc`.
 */
export function startOf(pid: number): string | null {
  const stat = readProc(`${pid}/stat`);
  if (stat === null) return null;
  // The name before the closing parenthesis may hold anything; the state is the third field, the start the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? null : (fields[19] ?? null);
}

/** Whether the process still lives; where there is no `/proc`, whether any process has its pid. */
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
  const marker = `\0JOBX_DIR=${Buffer.from(dir).toString("latin1")}\0`;
  for (const name of listProc()) {
    const pid = Number(name);
    if (!(pid > 0) || pid === process.pid) continue;
    const environment = `\0${readProc(`${pid}/environ`) ?? ""}`;
    if (!environment.includes(marker) || environment.includes("\0JOBX_SHELL=1\0")) continue;
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

function listProc(): string[] {
  try {
    return readdirSync("/proc");
  } catch {
    return [];
  }
}

function readProc(path: string): string | null {
  try {
    // One character per byte: environments need not be UTF-8.
    return readFileSync(`/proc/${path}`, "latin1");
  } catch {
    return null;
  }
}
