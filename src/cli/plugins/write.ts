import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { errnoOf, JobxError, messageOf, usageError } from "../../errors.ts";
import { distrustOf } from "../../executor/trust.ts";
import { nearest } from "../../model/nearest.ts";
import { userFolder } from "../../registry/folders.ts";
import type { CliContext } from "../context.ts";
import { printable } from "../printable.ts";
import { builtInSources } from "./built-in.macro.ts" with { type: "macro" };
import executor from "./executor.ts.txt" with { type: "text" };
import scheduler from "./scheduler.ts.txt" with { type: "text" };

const BUILT_IN = builtInSources();

/** `jobx plugins new NAME`: a plugin to begin with, which explains itself and passes its own test. */
export function newPlugin(context: CliContext, name: string): void {
  if (!/^[a-z][a-z0-9_-]*$/.test(name) || name === "auto") {
    throw usageError(
      `"${printable(name)}" cannot be the name of a plugin`,
      "A name is lower-case letters, digits, - and _, begins with a letter, and is not auto",
    );
  }
  if (Object.hasOwn(BUILT_IN, name)) {
    throw usageError(`${name} is built in`, `Adapt it instead: jobx plugins eject ${name}`);
  }
  const text = context.values.text("kind") === "executor" ? executor : scheduler;
  const file = write(context, name, text.replaceAll("mysite", name));
  answer(context, { name, file }, [
    `Wrote ${file}, which passes its test as it stands`,
    `Try it:   jobx plugins test ${context.values.has("dir") ? file : name}`,
    "Adapt it: every verb is explained in the file, and in `jobx help plugins`",
  ]);
}

/** `jobx plugins eject NAME`: a built-in one's source, which then takes its place. */
export function ejectPlugin(context: CliContext, name: string): void {
  const source = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (source === undefined) {
    const names = Object.keys(BUILT_IN);
    const near = nearest(name, names);
    throw new JobxError("NOT_FOUND", `There is no built-in plugin "${printable(name)}"`, {
      hint: near ? `Did you mean "${near}"?` : `There are ${names.join(", ")}`,
    });
  }
  const file = write(context, name, source.replaceAll('"../src/plugin.ts"', '"jobx/plugin"'));
  answer(context, { name, file }, [
    `Wrote ${file}`,
    context.values.has("dir")
      ? "It takes the built-in one's place where that folder is a plugin folder; `jobx plugins` lists them"
      : `It takes the place of the built-in ${name} from now on; remove it to have that one back`,
    `Test it:  jobx plugins test ${context.values.has("dir") ? file : name}`,
  ]);
}

/** Writes a plugin that is not there yet, readable by others and writable by nobody else. */
function write(context: CliContext, name: string, text: string): string {
  const given = context.values.text("dir");
  const folder = given === undefined ? join(userFolder(context.env), "plugins") : resolve(context.cwd, given);
  const file = join(folder, `${name}.ts`);
  if (existsSync(file)) throw isThere(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { flag: "wx", mode: 0o644 });
  } catch (error) {
    if (errnoOf(error) === "EEXIST") throw isThere(file);
    throw new JobxError("STORAGE", `${file} cannot be written: ${messageOf(error)}`, {
      hint: "Name another folder with --dir",
      cause: error,
    });
  }
  const distrust = distrustOf(file);
  if (distrust) {
    context.output.warn(
      `It will be refused: ${distrust.path} ${distrust.why}\n  Mend it with: ${distrust.mend}`,
    );
  }
  return file;
}

function isThere(file: string): JobxError {
  return new JobxError("REFUSED", `${file} is there already`, {
    hint: "Nothing is written over: rename it, or name another folder with --dir",
  });
}

function answer({ output }: CliContext, written: { name: string; file: string }, lines: string[]): void {
  output.result({ json: written, quiet: [written.file], text: () => lines.join("\n") });
}
