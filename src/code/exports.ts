import { readFileSync } from "node:fs";
import { extname } from "node:path";

import { type JobxError, usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";
import { describeParseError } from "./build-error.ts";
import { type FunctionReference, showReference } from "./reference.ts";

/**
 * Checks, without running the module, that a live file has the export; what only running can tell (a
 * star export, `module.exports`, what kind of value it is) is decided in the task. Throws USAGE.
 */
export function checkExport(reference: FunctionReference): void {
  const text = readFileSync(reference.file, "utf8");
  const exports = scanExports(reference.file, text);
  if (exports.includes(reference.export)) return;
  if (/\bexport\s*\*/.test(text) || usesModuleExports(text)) return;
  throw missingExport(reference, exports);
}

/** Whether names are exported in a way that only running the module tells. */
export function usesModuleExports(text: string): boolean {
  return /\bmodule\.exports\b|\bexports\s*[.[]/.test(text);
}

/** The error for an export that is not there: what is, and the nearest name. */
export function missingExport(reference: FunctionReference, exports: string[]): JobxError {
  const named = exports.filter((name) => name !== "default");
  const others = named.length > 0 ? `it exports ${named.join(", ")}` : "it exports nothing";
  const list = exports.includes("default") ? `it exports ${exports.join(", ")}` : others;
  if (reference.export === "default")
    return usageError(
      `${reference.file} has no default export; ${list}`,
      named[0] ? `Name one: ${reference.file}#${named[0]}` : "Export the function that the job shall call",
    );
  const guess = nearest(reference.export, exports);
  return usageError(
    `${reference.file} has no export ${reference.export}; ${list}`,
    guess ? `Did you mean ${reference.file}#${guess}?` : undefined,
  );
}

/** The error for an export that cannot be called; `why` is from `callable.ts`. */
export function notCallable(reference: FunctionReference, why: string): JobxError {
  const name = reference.export === "default" ? "The default export" : reference.export;
  return usageError(`${name} of ${reference.file} ${why}`, `Asked for as ${showReference(reference)}`);
}

function scanExports(file: string, text: string): string[] {
  try {
    return new Bun.Transpiler({ loader: loaderOf(file), target: "bun" }).scan(text).exports;
  } catch (error) {
    const first = error instanceof AggregateError ? error.errors[0] : error;
    throw usageError(`${file} does not parse:\n${describeParseError(first, file) ?? String(first)}`);
  }
}

/** How the runtime reads a file, by its ending. */
export function loaderOf(file: string): "js" | "jsx" | "ts" | "tsx" {
  const extension = extname(file).replace(/^\.[cm]?/, "");
  return extension === "js" || extension === "jsx" || extension === "tsx" ? extension : "ts";
}
