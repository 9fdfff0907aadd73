import { resolve } from "node:path";

import { readText } from "../../config/read-text.ts";
import type { SubmitSettings } from "../../config/settings.ts";
import { usageError } from "../../errors.ts";
import { type ArraySpec, parseArraySpec } from "../../model/array-spec.ts";
import { expandTasks, type Expansion } from "../../model/expand.ts";
import { paramFormatOf, paramFormatOfText, type ParamRow, parseParams } from "../../model/params.ts";
import { parseSweep } from "../../model/sweep.ts";
import { parseExactJson } from "../../model/values.ts";

/** What gives the tasks their parameters. */
export type Parameters = {
  expansion: Expansion;
  /** Whether a sweep, parameters or an array was given. */
  templated: boolean;
  /** Whether `{}` stands for the row. */
  bare: boolean;
  array: ArraySpec | null;
};

/** Reads `--sweep`, `--params`, `--array` and a function's arguments. `stdin` is read for `--params -` alone. */
export async function parametersFrom(
  settings: SubmitSettings,
  kind: "command" | "function",
  sources: { cwd: string; stdin: () => Promise<string> },
): Promise<Parameters> {
  const mode = kind === "function" ? "typed" : "exact";
  const read = (path: string) => readText(resolve(sources.cwd, path), path);
  const sweeps = settings
    .all("sweep")
    .map((text) => settings.explain("sweep", () => parseSweep(text, read, mode)));
  const params = settings.text("params");
  const rows = params === undefined ? null : await rowsFrom(params, mode, read, sources.stdin);
  const array = settings.read("array", parseArraySpec) ?? null;
  const args = argumentsFrom(settings, kind);
  const expansion = expandTasks({ sweeps, rows, array: array?.indices ?? null, args });
  const templated = sweeps.length > 0 || rows !== null || array !== null;
  return { expansion, templated, bare: rows !== null, array };
}

async function rowsFrom(
  path: string,
  mode: "typed" | "exact",
  read: (path: string) => string,
  stdin: () => Promise<string>,
): Promise<ParamRow[]> {
  if (path !== "-") return parseParams(read(path), paramFormatOf(path), { name: path, mode });
  const text = await stdin();
  return parseParams(text, paramFormatOfText(text), { name: "standard input", mode });
}

/** `--args` first, then each `--arg`: JSON where it parses, else the text itself. */
function argumentsFrom(settings: SubmitSettings, kind: "command" | "function"): unknown[] {
  const list = settings.text("args");
  const single = settings.all("arg");
  if (kind === "command" && (list !== undefined || single.length > 0)) {
    const flag = list !== undefined ? "--args" : "--arg";
    throw usageError(
      `${flag} is for functions`,
      "Write a command's arguments after --, where its name stands",
    );
  }
  return [...(list === undefined ? [] : arrayFrom(list)), ...single.map(valueFrom)];
}

function arrayFrom(text: string): unknown[] {
  const value = parseJson(text);
  if (Array.isArray(value)) return value;
  throw usageError(
    `--args: ${JSON.stringify(text)} is not a JSON array`,
    "Write --args '[1, \"two\"]', or --arg for one argument at a time",
  );
}

function valueFrom(text: string): unknown {
  const value = parseJson(text);
  return value === undefined ? text : value;
}

/** undefined where it is not JSON; JSON itself has no undefined. */
function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return undefined;
  }
}
