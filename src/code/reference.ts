import { readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, resolve } from "node:path";

import { JobxError, usageError } from "../errors.ts";
import { nearest } from "../model/nearest.ts";

/** A function by its place: an absolute file and the name of an export. */
export type FunctionReference = { file: string; export: string };

/**
 * Reads `FILE.ts[#EXPORT]`, relative to `cwd`; without a name it is the default export. Throws NOT_FOUND
 * naming the nearest file when there is none, USAGE when it is a folder or no script, or when the name is empty.
 */
export function resolveReference(reference: string, cwd: string): FunctionReference {
  const { path, name } = splitReference(reference, cwd);
  const file = isAbsolute(path) ? path : resolve(cwd, path);
  const kind = kindOf(file);
  if (kind === "folder") throw usageError(`${path} is a folder, not a file with functions`);
  if (kind === "missing") throw notFound(path, file);
  if (!/\.[cm]?[jt]sx?$/.test(file)) {
    throw usageError(
      `${path} is not a TypeScript or JavaScript file, so it has no functions`,
      `To run it as a command: jobx submit -- ${path.includes("/") ? path : `./${path}`}`,
    );
  }
  if (name === "")
    throw usageError(
      `No export is named after the # of ${JSON.stringify(reference)}`,
      `Write ${path} for its default export, or ${path}#NAME`,
    );
  return { file, export: name ?? "default" };
}

/** The reference as a person would type it. */
export function showReference(reference: FunctionReference): string {
  return reference.export === "default" ? reference.file : `${reference.file}#${reference.export}`;
}

/** A file may have a # in its name: an existing file wins over reading it as a separator. */
function splitReference(reference: string, cwd: string): { path: string; name: string | null } {
  const at = reference.lastIndexOf("#");
  if (at <= 0 || kindOf(resolve(cwd, reference)) === "file") return { path: reference, name: null };
  return { path: reference.slice(0, at), name: reference.slice(at + 1) };
}

function kindOf(path: string): "file" | "folder" | "missing" {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return "missing";
  return stats.isDirectory() ? "folder" : "file";
}

function notFound(path: string, file: string): JobxError {
  const folder = dirname(file);
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return new JobxError("NOT_FOUND", `There is no file ${path}: the folder ${folder} does not exist`);
  }
  const guess = nearest(
    basename(file),
    names.filter((name) => kindOf(join(folder, name)) === "file"),
  );
  return new JobxError("NOT_FOUND", `There is no file ${path}`, {
    hint: guess
      ? `Did you mean ${join(dirname(path), guess)}?`
      : "Check the path; it is taken from the current folder",
  });
}
