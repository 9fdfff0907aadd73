import { statSync } from "node:fs";
import { resolve } from "node:path";

import { JobxError, usageError } from "../errors.ts";
import { cleanJobEnvironment } from "../model/env-clean.ts";
import type { Dependency } from "../model/job.ts";
import { checkTemplates } from "../model/placeholders.ts";
import { parseAfter } from "../model/selectors.ts";
import type { SubmitInput } from "../orchestrator/submit.ts";
import { toResources } from "./resources.ts";
import { runOptionsFrom } from "./run-options.ts";
import type { SubmitSettings } from "./settings.ts";

/** What a request is made of, besides the options. */
export type RequestParts = Pick<
  SubmitInput,
  "entry" | "tasks" | "count" | "templated" | "executor" | "options"
> & {
  /** Of a templated request: the names that stand for parameters, and whether `{}` stands for the row. */
  keys: readonly string[];
  /** Of a templated request: parameters that only some of its tasks have. */
  someKeys: readonly string[];
  bare: boolean;
  /** The array that was asked for: how many of its tasks at once, where it says so; null without one. */
  array: { parallel: number | null } | null;
  env: Record<string, string | undefined>;
  /** What relative paths are taken from. */
  cwd: string;
  /** Job and tasks that the selector of an `after` names. */
  resolveAfter(selector: string): Promise<Pick<Dependency, "job" | "tasks">>;
};

/** Builds a request from the options, everything checked that needs no executor. Throws USAGE or NOT_FOUND. */
export async function requestFrom(settings: SubmitSettings, parts: RequestParts): Promise<SubmitInput> {
  const { entry, executor, env, tasks, count, templated, array, options } = parts;
  const cwd = folderFrom(settings, parts.cwd);
  const after = await dependenciesFrom(settings, parts);
  const run = runOptionsFrom(settings, { after, arrayParallel: array?.parallel ?? null, cwd: parts.cwd });
  if (templated) {
    const words = entry.kind === "command" ? entry.argv : [];
    const texts = [...run.launcher, ...words, ...Object.values(run.env)];
    checkTemplates(texts, parts.keys, { bare: parts.bare, some: parts.someKeys });
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
  return {
    name,
    executor,
    entry,
    tasks,
    count,
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

function folderFrom(settings: SubmitSettings, cwd: string): string {
  const given = settings.text("chdir");
  if (given === undefined) return cwd;
  const path = resolve(cwd, given);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new JobxError("NOT_FOUND", `--chdir: there is no folder ${path}`, {
    hint: "Make it first, or name another one",
  });
}

async function dependenciesFrom(settings: SubmitSettings, parts: RequestParts): Promise<Dependency[]> {
  const dependencies: Dependency[] = [];
  for (const text of settings.all("after")) {
    const { kind } = settings.explain("after", () => parseAfter(text));
    const selector = text.replace(/:(?:ok|any|fail|each)\s*$/, "");
    dependencies.push({ ...(await parts.resolveAfter(selector)), kind });
  }
  return dependencies;
}
