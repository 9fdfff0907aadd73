import { JobxError } from "../errors.ts";
import type { Executor } from "../executor/contract.ts";
import { type PluginFolder, stemOf } from "./folders.ts";

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
const BUILT_IN: Record<string, () => Promise<{ default: Executor }>> = {
  debug: () => import("../../plugins/debug.ts"),
  local: () => import("../../plugins/local.ts"),
  lsf: () => import("../../plugins/lsf.ts"),
  pbs: () => import("../../plugins/pbs.ts"),
  sge: () => import("../../plugins/sge.ts"),
  slurm: () => import("../../plugins/slurm.ts"),
};

/** Everything that may be an executor; where two have one name, the later one wins. */
export function findCandidates(folders: PluginFolder[]): Candidate[] {
  const builtIn = Object.entries(BUILT_IN).map(([name, load]) =>
    candidate(name, "built in", true, async () => (await load()).default),
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
  // Most machines have no plugin file.
  return (await import("./plugin-file.ts")).executorIn(file);
}
