import { existsSync, statSync } from "node:fs";

import { errnoOf, JobxError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { executorOf } from "./check.ts";
import { guarded } from "./guard.ts";
import { exportPlace, loadError } from "./load-error.ts";
import { importPlugin } from "./modules.ts";

/** How long a plugin file may take to load, in milliseconds: one that awaits for ever must not stop the others. */
const LOAD_TIMEOUT_MS = 10_000;

/** The executor of a plugin file, wherever it lies; NOT_FOUND where there is none, PLUGIN where it does not load. */
export async function executorIn(file: string): Promise<Executor> {
  try {
    if (!statSync(file).isFile()) throw new JobxError("PLUGIN", `The plugin ${file} is not a file`);
    const executor = executorOf(
      await withinTime(importPlugin(file), file),
      () => `The plugin ${exportPlace(file)}`,
    );
    return guarded(executor, file);
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && !existsSync(file)) {
      throw new JobxError("NOT_FOUND", `There is no plugin file ${file}`, {
        hint: "`jobx plugins` lists them",
      });
    }
    throw error instanceof JobxError ? error : await loadError(file, error);
  }
}

async function withinTime<T>(work: Promise<T>, file: string): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(
      new JobxError(
        "PLUGIN",
        `The plugin ${file} does not load: it was not done after ${LOAD_TIMEOUT_MS / 1000} s`,
        {
          hint: "A plugin must not wait for anything while it is imported",
        },
      ),
    );
  }, LOAD_TIMEOUT_MS);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
