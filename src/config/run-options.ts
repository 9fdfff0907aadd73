import { resolve } from "node:path";

import { usageError } from "../errors.ts";
import { parseDuration } from "../model/durations.ts";
import type { Dependency, RunOptions } from "../model/job.ts";
import { parseSize } from "../model/sizes.ts";
import { splitWords } from "../model/words.ts";
import { readText } from "./read-text.ts";
import { parseCount } from "./resources.ts";
import type { SubmitSettings } from "./settings.ts";

const DEFAULT_MAX_PAYLOAD = 1024 ** 3;

/** How the tasks are run, every default filled in. Throws USAGE that names the flag. */
export function runOptionsFrom(
  settings: SubmitSettings,
  given: { after: Dependency[]; arrayParallel: number | null; cwd: string },
): RunOptions {
  return {
    retries: settings.read("retries", parseNumber) ?? 0,
    maxTimeouts: settings.read("max-timeouts", parseNumber) ?? 3,
    requeue: settings.flag("requeue") ?? null,
    signalDelaySeconds: settings.read("signal-delay", parseDuration) ?? 90,
    parallel: settings.read("parallel", parseCount) ?? given.arrayParallel,
    pack: settings.read("pack", parsePack) ?? { tasks: 1, slots: 1 },
    after: given.after,
    setup: settings.all("setup"),
    teardown: settings.all("teardown"),
    launcher: settings.read("launcher", parseLauncher) ?? [],
    capture: settings.flag("capture") ?? false,
    mergeOutput: settings.flag("merge-output") ?? false,
    distributed: settings.flag("distributed") ?? false,
    cleanEnv: settings.flag("clean-env") ?? false,
    env: variablesFrom(settings, given.cwd),
    maxPayloadBytes: settings.read("max-payload", parseSize) ?? DEFAULT_MAX_PAYLOAD,
  };
}

/** Reads `N` or `N/K`: N tasks per element, K of them at once. */
export function parsePack(text: string): { tasks: number; slots: number } {
  const match = /^(\d+)(?:\/(\d+))?$/.exec(text);
  const tasks = Number(match?.[1] ?? 0);
  const slots = Number(match?.[2] ?? 1);
  if (tasks >= 1 && slots >= 1 && slots <= tasks) return { tasks, slots };
  throw usageError(
    `Bad pack ${JSON.stringify(text)}`,
    "Write N or N/K: N tasks per element, K of them (at most N) at once",
  );
}

function parseLauncher(text: string): string[] {
  const words = splitWords(text);
  if (words) return words;
  throw usageError(`A quote or backslash in ${JSON.stringify(text)} never ends`, "Close it, or take it away");
}

/** A whole number of at least 0. */
export function parseNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw usageError(`${JSON.stringify(text)} is not a whole number`, "Write 0, 1, 2, ...");
}

/** The configuration's `[env]`, then the file, then each `--env`. */
function variablesFrom(settings: SubmitSettings, cwd: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(settings.table("env"))) {
    variables[name] = checkVariable(
      name,
      value,
      `${settings.originOf("env", name)}: env`,
      "Write NAME = VALUE",
    );
  }
  const file = settings.text("env-file");
  if (file !== undefined) {
    for (const [name, value] of Object.entries(variablesIn(readText(resolve(cwd, file), file), file))) {
      variables[name] = checkVariable(name, value, `--env-file ${file}`, "Write NAME=VALUE");
    }
  }
  for (const text of settings.all("env")) {
    const equals = text.indexOf("=");
    if (equals < 0) {
      throw usageError(`--env: ${JSON.stringify(text)} has no =`, `Write --env ${text}=VALUE`);
    }
    const name = text.slice(0, equals);
    variables[name] = checkVariable(name, text.slice(equals + 1), "--env", "Write --env NAME=VALUE");
  }
  return variables;
}

/** The variables of a file of `NAME=value` lines. Throws USAGE for a line that is none, which parseEnv passes over. */
function variablesIn(text: string, file: string): Record<string, string> {
  const { parseEnv } = process.getBuiltinModule("node:util");
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(parseEnv(text))) variables[name] = value ?? "";
  const spansLines = Object.values(variables).some((value) => value.includes("\n"));
  const wrong = text.split("\n").findIndex((line) => /^\s*[^#\s=][^=]*$/.test(line));
  if (wrong >= 0 && !spansLines) {
    throw usageError(`${file}:${wrong + 1}: this line has no =`, "Each line of an --env-file is NAME=value");
  }
  return variables;
}

/** The value of a variable. Throws USAGE where the name or the value cannot be a variable's. */
function checkVariable(name: string, value: string, where: string, hint: string): string {
  if (!/^[^\s=\0]+$/.test(name)) {
    throw usageError(`${where}: ${JSON.stringify(name)} cannot be the name of a variable`, hint);
  }
  if (value.includes("\0")) throw usageError(`${where}: ${name} holds a NUL character`, "Variables are text");
  return value;
}
