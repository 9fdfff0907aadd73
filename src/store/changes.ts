import { linkSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { errnoOf, JobxError } from "../errors.ts";
import {
  readRecordFile,
  recordFileBytes,
  syncFolder,
  temporaryFor,
  whenThere,
  writeNewFile,
} from "./files.ts";
import { storageError } from "./storage-errors.ts";

/**
 * Requests that several processes on several hosts may make at once, without a lock: every change is a file of
 * its own that is never written again. The first is `path` itself (`cancelled.msgpack`), the others are numbered
 * (`cancelled.1.msgpack`). Changes are read in the order of their numbers. Throws PAYLOAD or STORAGE.
 */
export function appendChange(path: string, change: unknown): void {
  const temporary = temporaryFor(path);
  const bytes = recordFileBytes(change);
  try {
    writeNewFile(temporary, bytes);
    for (let number = (numbersOf(path).at(-1) ?? -1) + 1; ; number++) {
      if (claim(temporary, numbered(path, number), bytes)) break;
    }
    syncFolder(dirname(path));
  } catch (error) {
    throw storageError(path, "written", error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** All changes, oldest first. Throws DAMAGED, FORMAT or STORAGE. */
export function readChanges(path: string): unknown[] {
  const changes: unknown[] = [];
  for (const number of numbersOf(path)) {
    const change = readRecordFile(numbered(path, number));
    if (change !== null) changes.push(change);
  }
  return changes;
}

/** A text that differs whenever a change was added; costs one listing of the folder. */
export function changesVersion(path: string): string {
  return numbersOf(path).join(" ");
}

/** Gives the finished file a name that nobody has; false where the name is taken. */
function claim(temporary: string, path: string, bytes: Uint8Array): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EXDEV"].includes(errnoOf(error) ?? ""))
      throw error;
  }
  // No hard links here: the name is taken first and filled then.
  try {
    writeNewFile(path, bytes);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

function numbered(path: string, number: number): string {
  if (number === 0) return path;
  return join(dirname(path), `${basename(path, ".msgpack")}.${number}.msgpack`);
}

function numbersOf(path: string): number[] {
  const stem = basename(path, ".msgpack");
  const folder = dirname(path);
  const numbers: number[] = [];
  for (const name of whenThere(folder, () => readdirSync(folder)) ?? []) {
    if (!name.startsWith(stem) || !name.endsWith(".msgpack")) continue;
    const middle = name.slice(stem.length, -".msgpack".length);
    if (middle === "") numbers.push(0);
    else if (/^\.[1-9]\d*$/.test(middle)) numbers.push(Number(middle.slice(1)));
  }
  return numbers.sort((a, b) => a - b);
}

/** The error for a file whose checksum is right and whose contents are not what belongs there. */
export function unexpectedContents(path: string): JobxError {
  return new JobxError("FORMAT", `${path} holds something else than it should`);
}
