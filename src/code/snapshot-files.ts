import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";

import { usageError } from "../errors.ts";
import { formatSize } from "../model/sizes.ts";
import { showPath } from "./show-path.ts";

/** Files beside a module that its code reads at run time, as globs relative to the module's folder. */
export type SnapshotFiles = { include?: string[]; exclude?: string[] };

/** Files that go into a snapshot, in the folders that they have below `root`. */
export type CopiedFiles = {
  /** The folder that holds the module and all the files. */
  root: string;
  /** By path below `root`. */
  files: Map<string, { bytes: Uint8Array; executable: boolean }>;
  warnings: string[];
};

const WARN_BYTES = 64 * 1024 * 1024;
const MOST_BYTES = 1024 * 1024 * 1024;

/**
 * Reads the files that a snapshot shall hold besides the module's code; null where none are asked for. Wildcards
 * match neither names that begin with a dot nor `node_modules`. Throws USAGE for a pattern that matches nothing or
 * is absolute, and above 1 GiB.
 */
export function copyFiles(module: string, snapshot: boolean | SnapshotFiles): CopiedFiles | null {
  if (typeof snapshot === "boolean" || !snapshot.include || snapshot.include.length === 0) return null;
  const folder = dirname(module);
  const paths = new Set(snapshot.include.flatMap((pattern) => matchesOf(folder, pattern)));
  const excluded = (snapshot.exclude ?? []).map((pattern) => new Bun.Glob(globOf(folder, pattern)));
  for (const path of paths) {
    if (excluded.some((glob) => glob.match(relative(folder, path)))) paths.delete(path);
  }
  const root = [...paths].reduce(commonFolder, folder);
  const files: CopiedFiles["files"] = new Map();
  let size = 0;
  for (const path of [...paths].sort()) {
    size += statSync(path).size;
    if (size > MOST_BYTES) throw tooLarge(module);
    const executable = (statSync(path).mode & 0o100) !== 0;
    files.set(relative(root, path), { bytes: readFileSync(path), executable });
  }
  return { root, files, warnings: size > WARN_BYTES ? [sizeWarning(module, size)] : [] };
}

/** Absolute paths of the files that a pattern means. */
function matchesOf(folder: string, pattern: string): string[] {
  if (isAbsolute(pattern)) {
    throw usageError(
      `snapshot.include: ${pattern} is absolute`,
      `Give it relative to ${folder}, or leave it out: what the code reads by an absolute path is not copied`,
    );
  }
  const glob = new Bun.Glob(globOf(folder, pattern));
  const packages = /(?:^|\/)node_modules\//;
  const names = [...glob.scanSync({ cwd: folder, onlyFiles: true })];
  const found = names.filter((name) => packages.test(pattern) || !packages.test(name));
  if (found.length > 0) return found.map((name) => resolve(folder, name));
  throw usageError(
    `snapshot.include: ${JSON.stringify(pattern)} matches no file in ${showPath(folder)}`,
    "Patterns are relative to the folder of the function's module",
  );
}

/** A folder stands for all that is in it. */
function globOf(folder: string, pattern: string): string {
  const plain = pattern.replace(/^\.\//, "").replace(/\/+$/, "");
  const isFolder = statSync(join(folder, plain), { throwIfNoEntry: false })?.isDirectory();
  return isFolder ? join(plain, "**") : plain;
}

/** The deepest folder that holds both. */
function commonFolder(folder: string, path: string): string {
  return relative(folder, path).startsWith("../") ? commonFolder(dirname(folder), path) : folder;
}

function tooLarge(module: string): Error {
  return usageError(
    `snapshot.include: the files beside ${showPath(module)} are larger than ${formatSize(MOST_BYTES)}`,
    "Leave large data where it is, and pass its path as an argument",
  );
}

function sizeWarning(module: string, size: number): string {
  return `The snapshot of ${showPath(module)} copies ${formatSize(size)} of files into the home`;
}
