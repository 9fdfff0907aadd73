import { join } from "node:path";

import { JobxError, usageError } from "../errors.ts";
import { bindingOf } from "./bind.ts";
import { whyNotCallable } from "./callable.ts";
import { type CapturedFunction, captureExport, type CaptureOptions } from "./capture.ts";
import { exportOf, findByIdentity, ownFiles } from "./find-export.ts";
import { readFunctionText } from "./function-text.ts";
import { whyNotInline } from "./inline-refusal.ts";
import { captureInline, type InlineFunction } from "./inline.ts";
import { locateFunction } from "./locate.ts";
import { outerNames } from "./outer-names.ts";
import type { FunctionReference } from "./reference.ts";
import { isMarkedTask } from "./task-mark.ts";

/**
 * Captures a function or task that is given as its value. An exported function stands for its module, with one
 * exception: the script's own functions are taken by their text where that is enough, since to load the script again
 * would run it.
 */
export async function captureValue(value: unknown, options: CaptureOptions): Promise<CapturedFunction> {
  const binding = bindingOf(value);
  if (binding) return captureText(binding.fn, binding.values, options);
  checkCallable(value);
  const reference = findByIdentity(value, options) ?? findInScript(value, options);
  if (isMarkedTask(value) && !reference) {
    throw usageError(
      "What defineTask() made is not exported by a module",
      "Write export const NAME = defineTask({ … }): its module is bundled with all that it uses",
    );
  }
  const byModule = isMarkedTask(value) || options.snapshot !== true || reference?.file !== options.script;
  if (reference && byModule) return captureExport(reference, options.snapshot);
  try {
    return await captureText(value, null, options);
  } catch (error) {
    if (!reference || !(error instanceof JobxError)) throw error;
    return captureExport(reference, options.snapshot);
  }
}

/** By its text, with `values` for the names that it takes from around it. */
async function captureText(
  fn: unknown,
  values: Record<string, unknown> | null,
  options: CaptureOptions,
): Promise<CapturedFunction> {
  checkCallable(fn);
  const text = readFunctionText(String(fn));
  if (typeof text === "string") {
    throw usageError(
      `${nameOf(fn) || "The function"} ${text}`,
      "Export a function of your own that calls it",
    );
  }
  const located = locateFunction(text.text, ownFiles(options));
  const file = located?.module.file ?? options.script ?? join(options.cwd, "inline.ts");
  const inline: InlineFunction = {
    name: nameOf(fn),
    text,
    values,
    located,
    outer: outerNames(located, [...text.free, ...text.assumed]),
    file,
    snapshot: options.snapshot,
  };
  const refused = await whyNotInline(inline);
  if (refused) throw refused;
  return captureInline(inline);
}

/** An export of the script, which cannot be asked for its exports while it is being evaluated. */
function findInScript(value: unknown, { script }: CaptureOptions): FunctionReference | null {
  const task = isMarkedTask(value);
  const located = script === null ? null : locateFunction(String(task ? value.run : value), [script]);
  const name = located && exportOf(located, task ? "task" : "function");
  return located && name !== null ? { file: located.module.file, export: name } : null;
}

function checkCallable(value: unknown): void {
  const why = whyNotCallable(value);
  if (why === null) return;
  throw usageError(
    `${nameOf(value) || "What was given to be called"} ${why}`,
    'Give a function and then its arguments: submit(f, 1); or what defineTask() made, or "file.ts#name"',
  );
}

function nameOf(value: unknown): string {
  return typeof value === "function" ? value.name : "";
}
