import { readFileSync } from "node:fs";

import { errnoOf } from "../errors.ts";

/** `file:line` of an import in a file; null where it is not found. */
export function importLine(file: string, specifier: string): string | null {
  return lineWith(file, new RegExp(`["']${RegExp.escape(specifier)}["']`));
}

/** `file:line` of the first line that has this; null where there is none. */
export function lineWith(file: string, pattern: RegExp): string | null {
  try {
    const at = readFileSync(file, "utf8")
      .split("\n")
      .findIndex((line) => pattern.test(line));
    return at < 0 ? null : `${file}:${at + 1}`;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return null;
  }
}
