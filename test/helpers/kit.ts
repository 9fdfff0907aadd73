import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import scheduler from "../../src/cli/plugins/scheduler.ts.txt" with { type: "text" };
import type { Executor } from "../../src/executor/contract.ts";
import type { Level } from "../../src/kit/case.ts";
import { type Report, testPlugin } from "../../src/kit/kit.ts";
import { loadPluginFile } from "../../src/registry/candidates.ts";
import { JOBX } from "./jobx.ts";

/** The scaffold: a good plugin. */
export const GOOD = scheduler;

let made = 0;

/** Loads a plugin from its text, as from a user's folder. */
export async function loadText(folder: string, text: string): Promise<Executor> {
  const file = join(folder, `plugin${made++}.ts`);
  writeFileSync(file, text, { mode: 0o600 });
  return loadPluginFile(file);
}

/** Runs the kit on a plugin; `folder` holds what its jobs need, and is the caller's, as runs may be concurrent. */
export async function runKit(folder: string, plugin: Executor, levels: Level[], only = ""): Promise<Report> {
  const env = {
    ...process.env,
    JOBX_RUNTIME_DIR: mkdtempSync(join(folder, "runtime-")),
    JOBX_QUEUE_IDLE_MS: "1000",
  };
  return testPlugin(plugin, { levels, only, runtime: JOBX, env });
}
