import { readdirSync, readFileSync } from "node:fs";

import { eventually } from "./eventually.ts";
import type { TestJobx } from "./jobx.ts";

/** Pids of a test's own processes that were started with this word (`_queue`, `_worker`, `_runner`). */
export function processesOf(jobx: TestJobx, word: string): number[] {
  const own = `JOBX_RUNTIME_DIR=${jobx.env["JOBX_RUNTIME_DIR"]}`;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return argv.includes(word) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(own);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Kills the first such process, once there is one. */
export async function killProcess(jobx: TestJobx, word: string): Promise<void> {
  const pid = await eventually(() => processesOf(jobx, word)[0]);
  process.kill(pid, "SIGKILL");
}
