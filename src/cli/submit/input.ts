import { statSync } from "node:fs";
import { resolve } from "node:path";

import { JobxError, usageError } from "../../errors.ts";
import { cleanJobEnvironment } from "../../model/env-clean.ts";
import type { Dependency } from "../../model/job.ts";
import { checkTemplates } from "../../model/placeholders.ts";
import { parseAfter } from "../../model/selectors.ts";
import type { SubmitInput } from "../../orchestrator/submit.ts";
import { toResources } from "../resource-flags.ts";
import type { EntryWords } from "./entry.ts";
import { executorOptions } from "./executor-options.ts";
import { parametersFrom } from "./parameters.ts";
import { runOptionsFrom } from "./run-options.ts";
import type { SubmitSettings } from "./settings.ts";

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

/** Builds the request from the options, everything checked that needs no executor. Throws USAGE or NOT_FOUND. */
export async function submitInputFrom(settings: SubmitSettings, sources: InputSources): Promise<SubmitInput> {
  const { entry, executor, env } = sources;
  checkKind(settings, entry.kind);
  const cwd = folderFrom(settings, sources.cwd);
  const parameters = await parametersFrom(settings, entry.kind, { cwd: sources.cwd, stdin: sources.stdin });
  const { expansion, templated, bare, array } = parameters;
  const after = await dependenciesFrom(settings, sources);
  const run = runOptionsFrom(settings, { after, arrayParallel: array?.parallel ?? null, cwd: sources.cwd });
  if (templated) {
    const words = entry.kind === "command" ? entry.argv : [];
    checkTemplates([...run.launcher, ...words, ...Object.values(run.env)], expansion.keys, { bare });
  }
  const name = settings.text("name") ?? null;
  if (name === "") throw usageError('--name is ""', "Give it a text, or leave it out");
  if (settings.flag("inspect") && executor !== "debug") {
    throw usageError(
      `--inspect is for the debug executor, and this job goes to ${executor}`,
      "Add -e debug, which runs it here, or leave --inspect out",
    );
  }
  const resources = settings.explain("resources", () => toResources((flag) => settings.text(flag)));
  const slurmOptions = executor === "slurm" ? sources.slurmOptions : {};
  const options = { ...slurmOptions, ...executorOptions(settings.all("option"), executor, sources.logs) };
  return {
    name,
    executor,
    entry: entry.kind === "command" ? entry : { ...entry, snapshot: settings.flag("snapshot") ?? true },
    tasks: expansion,
    count: expansion.count,
    templated,
    array: array !== null,
    indices: null,
    resources,
    options,
    run,
    cwd,
    environment: cleanJobEnvironment(env, { cleanEnv: run.cleanEnv }),
    inspect: settings.flag("inspect") ?? false,
    origin: null,
  };
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

function folderFrom(settings: SubmitSettings, cwd: string): string {
  const given = settings.text("chdir");
  if (given === undefined) return cwd;
  const path = resolve(cwd, given);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new JobxError("NOT_FOUND", `--chdir: there is no folder ${path}`, {
    hint: "Make it first, or name another one",
  });
}

async function dependenciesFrom(settings: SubmitSettings, sources: InputSources): Promise<Dependency[]> {
  const dependencies: Dependency[] = [];
  for (const text of settings.all("after")) {
    const { kind } = settings.explain("after", () => parseAfter(text));
    const selector = text.replace(/:(?:ok|any|fail|each)\s*$/, "");
    dependencies.push({ ...(await sources.resolveAfter(selector)), kind });
  }
  return dependencies;
}
