import { open, url, waitForDebugger } from "node:inspector";

import { usageError } from "../errors.ts";
import type { ExecutorContext } from "../executor/contract.ts";
import type { JobSpec } from "../model/job.ts";

/**
 * Opens a debugger port on this host alone and says where it is; `wait` returns when a debugger is
 * attached. Throws USAGE for a command, which is no code of this process.
 */
export function openInspector(spec: JobSpec, context: ExecutorContext): { wait(): void } {
  if (spec.entry.kind === "command") {
    throw usageError(
      "--inspect is for functions, and this job runs a command",
      "A command keeps the terminal here, so its own debugger works: -- python -m pdb script.py",
    );
  }
  if (!url()) open(0, "127.0.0.1", false);
  const address = url() ?? "";
  context.note(`Waiting for a debugger at ${address}`);
  context.note(`In a browser: https://debug.bun.sh/#${address.replace(/^ws:\/\//, "")}`);
  return { wait: waitForDebugger };
}
