import { requestFrom } from "../../config/request.ts";
import type { SubmitSettings } from "../../config/settings.ts";
import { usageError } from "../../errors.ts";
import type { Dependency } from "../../model/job.ts";
import type { SubmitInput } from "../../orchestrator/submit.ts";
import type { EntryWords } from "./entry.ts";
import { executorOptions } from "./executor-options.ts";
import { parametersFrom } from "./parameters.ts";

/** What a submission is built from, besides the options themselves. */
export type InputSources = {
  entry: EntryWords;
  /** The executor's name, `auto` resolved. */
  executor: string;
  env: Record<string, string | undefined>;
  cwd: string;
  /** Where logs are kept, for messages. */
  logs: string;
  /** sbatch's words that only slurm understands, from a script's directives. */
  slurmOptions: Record<string, string | true>;
  stdin(): Promise<string>;
  /** Job and tasks that the selector of an `--after` names. */
  resolveAfter(selector: string): Promise<Pick<Dependency, "job" | "tasks">>;
};

/** Builds the request from the command line's options, checked as far as it needs no executor. Throws USAGE or NOT_FOUND. */
export async function submitInputFrom(settings: SubmitSettings, sources: InputSources): Promise<SubmitInput> {
  const { entry, executor, env, cwd, stdin, resolveAfter } = sources;
  checkKind(settings, entry.kind);
  const { expansion, templated, bare, array } = await parametersFrom(settings, entry.kind, { cwd, stdin });
  const slurmOptions = executor === "slurm" ? sources.slurmOptions : {};
  return requestFrom(settings, {
    entry: entry.kind === "command" ? entry : { ...entry, snapshot: settings.flag("snapshot") ?? true },
    executor,
    env,
    cwd,
    resolveAfter,
    tasks: expansion,
    count: expansion.count,
    keys: expansion.keys,
    someKeys: expansion.someKeys,
    templated,
    bare,
    array,
    options: { ...slurmOptions, ...executorOptions(settings.all("option"), executor, sources.logs) },
  });
}

/** Refuses options that would mean nothing for what is submitted. */
function checkKind(settings: SubmitSettings, kind: EntryWords["kind"]): void {
  if (kind === "command" && settings.typed("snapshot")) {
    throw usageError("--no-snapshot is for functions", "Leave it out: a command is run as it is");
  }
  for (const flag of ["capture", "launcher", "use-directives", "ignore-directives"]) {
    if (kind === "function" && settings.typed(flag)) {
      throw usageError(`--${flag} is for commands`, "Leave it out: what a function returns is its result");
    }
  }
}
