import { existsSync, statSync } from "node:fs";

import { errnoOf, JobxError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { executorOf } from "./check.ts";
import { type PluginFolder, stemOf } from "./folders.ts";
import { guarded } from "./guard.ts";
import { exportPlace, loadError } from "./load-error.ts";
import { importPlugin } from "./modules.ts";

/** Something that may be an executor, not loaded until `load` is called; a second call gives the same answer. */
export type Candidate = {
  /** What its file name promises; the executor inside may say another name. */
  stem: string;
  /** "built in", or the plugin file. */
  from: string;
  isBuiltIn: boolean;
  /** Rejects with a JobxError that says why it does not load. */
  load(): Promise<Executor>;
};

/** The executors inside the binary; each is loaded by itself. */
const BUILT_IN: Record<string, () => Promise<unknown>> = {
  debug: () => import("../../plugins/debug.ts"),
  local: () => import("../../plugins/local.ts"),
  lsf: () => import("../../plugins/lsf.ts"),
  pbs: () => import("../../plugins/pbs.ts"),
  sge: () => import("../../plugins/sge.ts"),
  slurm: () => import("../../plugins/slurm.ts"),
};

/** How long a plugin file may take to load, in milliseconds: one that awaits for ever must not stop the others. */
const LOAD_TIMEOUT_MS = 10_000;

/** Everything that may be an executor; where two have one name, the later one wins. */
export function findCandidates(folders: PluginFolder[]): Candidate[] {
  const builtIn = Object.entries(BUILT_IN).map(([name, load]) =>
    candidate(name, "built in", true, async () =>
      executorOf(await load(), () => `The built-in executor ${name}`),
    ),
  );
  const files = folders.flatMap((folder) =>
    folder.files.map((file) => candidate(stemOf(file), file, false, () => loadFile(folder, file))),
  );
  return [...builtIn, ...files];
}

function candidate(stem: string, from: string, isBuiltIn: boolean, load: () => Promise<Executor>): Candidate {
  let loading: Promise<Executor> | undefined;
  return { stem, from, isBuiltIn, load: () => (loading ??= load()) };
}

async function loadFile(folder: PluginFolder, file: string): Promise<Executor> {
  if (folder.problem) {
    throw new JobxError("PLUGIN", `The plugin folder ${folder.path} is refused: ${folder.problem.why}`, {
      hint: folder.problem.mend ? `Mend it with: ${folder.problem.mend}` : undefined,
    });
  }
  return loadPluginFile(file);
}

/** The executor of a plugin file, wherever it lies; NOT_FOUND where there is none, PLUGIN where it does not load. */
export async function loadPluginFile(file: string): Promise<Executor> {
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
